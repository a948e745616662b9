"""Where the key of an appliance's ledger is, and what the ledger says about it."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from reconciler.errors import EvidenceError, KeyMissing, MachineError
from reconciler.evidence import layout, signer_lines, signers
from reconciler.evidence.key_change import Action, KeyChange
from reconciler.evidence.key_life import change_of, next_key
from reconciler.evidence.record import Record
from reconciler.evidence.signers import AllowedSigners
from reconciler.evidence.sshsig import fingerprint
from reconciler.ledger import keys, sealed_keys
from reconciler.ledger.durable import on_disk
from reconciler.ledger.head import Head, read_head
from reconciler.ledger.reader import newest_first
from reconciler.ledger.sealed_keys import KeyFile, Sealer
from reconciler.ledger.verify import load_signers


@dataclass(frozen=True, slots=True)
class Site:
    """One appliance's ledger, and what its key needs.

    Attributes:
        repository: The evidence repository.
        client: One clinic.
        host: The appliance.
        place: Where its key is.
        signers_file: The local file of evidence signers.
        sealer: Opens and seals keys.
    """

    repository: Path
    client: str
    host: str
    place: KeyFile
    signers_file: Path
    sealer: Sealer

    @property
    def principal(self) -> str:
        """``<client>/<host>``."""
        return layout.principal(self.client, self.host)

    @property
    def coming(self) -> KeyFile:
        """Where a new key waits until it is announced."""
        return self.place.beside("next")

    def allowed(self) -> AllowedSigners:
        """The local evidence signers."""
        return load_signers(self.signers_file)

    def allowed_with(self, public: bytes) -> AllowedSigners:
        """The same, and a key that waits: the ledger may have announced it already."""
        name, line = str(self.signers_file), signer_lines.appliance_line(self.principal, public)
        return signers.parse(signer_lines.added(self.signers_data(), name, line), name)

    def signers_data(self) -> bytes:
        """The content of the local file of evidence signers."""
        with on_disk(self.signers_file), self.signers_file.open("rb") as file:
            return file.read(signers.MAX_BYTES + 1)

    def records(self, allowed: AllowedSigners) -> Iterator[Record]:
        """Proven entries, newest first."""
        return newest_first(self.repository, self.client, self.host, allowed)

    def head(self, allowed: AllowedSigners) -> Head:
        """The newest part of the ledger, proven."""
        return read_head(self.records(allowed))


@dataclass(frozen=True, slots=True)
class Changed:
    """What became of a key.

    Attributes:
        action: How.
        seq: Number of the ``key-change`` entry.
        commit: Its commit, 40 hex digits.
        old: The key before, 32 bytes.
        new: The key that signs from now on, 32 bytes.
        aside: Where the old key is, if it was here.
    """

    action: Action
    seq: int
    commit: str
    old: bytes
    new: bytes
    aside: KeyFile

    @property
    def last(self) -> int:
        """The last entry that the old key may have signed."""
        return self.seq if self.action is Action.ROTATE else self.seq - 1


def waiting(site: Site) -> bytes | None:
    """The key that waits, or that has moved already and left its public half behind.

    Whether it was announced is for the ledger to say.
    """
    return sealed_keys.read_public(site.coming) if site.coming.public.exists() else None


def announced(site: Site, new: bytes) -> Changed:
    """The change that announced a key; it is among the newest entries.

    Raises:
        EvidenceError: There is none.
    """
    found: tuple[Record, KeyChange] | None = None
    for record in site.records(site.allowed_with(new)):
        if found is not None:
            return _changed(site, *found, next_key(record))
        change = change_of(record)
        if change is not None and change.public == new:
            found = record, change
    message = f"no entry of {site.repository} announces key {fingerprint(new)}"
    raise EvidenceError(message, hint="See: reconciler keys list.")


def require_current(tip: Record, old: Ed25519PrivateKey) -> None:
    """The key at hand is the one that the ledger goes on with.

    Raises:
        KeyMissing: It is another one.
    """
    wanted, ours = next_key(tip), keys.public(old)
    if wanted != ours:
        message = f"the ledger goes on with key {fingerprint(wanted)}, here is {fingerprint(ours)}"
        raise KeyMissing(
            message, hint="If that key is lost: reconciler keys replace --config FILE."
        )


def require_writable(site: Site) -> None:
    """What cannot be finished is not begun.

    Raises:
        MachineError: The signers or the keys cannot be written.
    """
    for directory in (site.signers_file.parent, site.place.path.parent):
        if not os.access(directory, os.W_OK | os.X_OK):
            message = f"cannot write {directory}"
            raise MachineError(message, hint="Run as the user that owns the appliance's keys.")


def _changed(site: Site, record: Record, change: KeyChange, old: bytes) -> Changed:
    seq = record.entry.seq
    last = seq if change.action is Action.ROTATE else seq - 1
    aside = site.place.beside(f"until-{last}")
    return Changed(change.action, seq, record.commit, old, change.public, aside)
