"""A witness: vouches for logs that only grew, and keeps what it was shown of those that did not.

It looks at evidence repositories on disk, the hub's or an appliance's clone, with no network and no
cooperation of anybody; `reconciler.ledger.witness_protocol` lets logs ask it over HTTP as well.
Both remember in the same place, so two histories told in two ways meet here.

Rule 1: The memory is on the disk before a cosignature is given away.
Rule 2: What is refused is written down once, with what was shown.
"""

import re
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.errors import EvidenceError
from reconciler.evidence import layout, sshsig
from reconciler.evidence.fault import Code
from reconciler.evidence.growth import Growth, Offer, growth
from reconciler.evidence.note import Checkpoint, cosign
from reconciler.evidence.objection import Objection
from reconciler.evidence.record import Branch
from reconciler.evidence.signers import AllowedSigners
from reconciler.evidence.witnessing import Cosign, Look, Refuse, Request, Seen, decide
from reconciler.ledger.objects import ObjectStore, repository_directory
from reconciler.ledger.witness_memory import CLIENT, WitnessMemory, witness_name

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from reconciler.ports import Clock

_BRANCH = re.compile(r"refs/heads/([a-z0-9-]{1,63})/([a-z0-9-]{1,63})")
_ORIGIN = re.compile(r"reconciler/([a-z0-9-]{1,63})/([a-z0-9-]{1,63})")


class Witness:
    """One witness: its name, its key, its memory, and whom it knows."""

    def __init__(
        self,
        name: str,
        key: "Ed25519PrivateKey",
        memory: WitnessMemory,
        signers: AllowedSigners,
        clock: "Clock",
    ) -> None:
        """Make a witness.

        Args:
            name: Its name, a DNS label.
            key: Its key.
            memory: What it remembers.
            signers: Which keys sign for which appliance.
            clock: Its clock.
        """
        self._name = witness_name(name)
        self._key = key
        self._memory = memory
        self._signers = signers
        self._clock = clock

    @property
    def memory(self) -> WitnessMemory:
        """What it remembers."""
        return self._memory

    @property
    def name(self) -> str:
        """The name it signs with."""
        return self._name

    @property
    def public(self) -> bytes:
        """The key it signs with, 32 bytes."""
        return sshsig.raw_public(self._key)

    def look(self, repository: Path) -> tuple[Look, ...]:
        """Look at every appliance's branch of an evidence repository.

        Args:
            repository: Its directory.

        Raises:
            LedgerMissing: There is no repository.
            EvidenceError: Its references cannot be read, it holds no branch of an appliance, or the
                memory cannot be written.
            Busy: The memory moved meanwhile; look again.
        """
        directory = repository_directory(repository)
        found = _branches(ObjectStore(directory))
        if not found:
            message = f"{repository} holds no branch of an appliance"
            raise EvidenceError(message, hint="Give the clone of an evidence repository.")
        # A log that was vouched for and is gone is shorter than any. Clients share no repository.
        clients = {client for client, _ in found}
        known = (_ORIGIN.fullmatch(origin) for origin in self._memory.origins())
        missing = {(m[1], m[2]) for m in known if m is not None and m[1] in clients}
        return tuple(
            self._look(directory, Branch(*place, self._signers))
            for place in sorted(found | missing)
        )

    def answer(self, request: Request) -> str | Refuse:
        """Decide about a request, remember it, and cosign.

        Args:
            request: What a log asks for.

        Returns:
            The note with the cosignature, or why there is none.

        Raises:
            ClockWrong: The clock went back.
            MachineError: The memory cannot be written; nothing is vouched for.
        """
        origin = request.claimed.origin
        with self._memory.lock:
            at, seen = self._clock.now(), self._memory.latest(origin)
            decision = decide(self._publics(request.claimed, at), seen, request)
            match decision:
                case Cosign(again=True) if seen is not None:
                    return seen.note
                case Cosign(checkpoint=checkpoint, note=note):
                    return self._vouch(seen, Offer(checkpoint, note), at).note
                case Refuse():
                    self._keep_proof(decision, request, at)
                    return decision

    def _look(self, directory: Path, branch: Branch) -> Look:
        origin = layout.origin(branch.client, branch.host)
        seen = self._memory.latest(origin)
        shown = growth(ObjectStore(directory), branch, seen)
        with self._memory.lock:
            at = self._clock.now()
            if isinstance(shown, Objection):
                self._memory.object_to(shown, at)
                return Look(origin, 0, 0, seen, False, shown)
            return self._grown(origin, shown, seen, at)

    def _grown(self, origin: str, shown: Growth, seen: Seen | None, at: datetime) -> Look:
        if shown.offer is None:
            return Look(origin, shown.entries, shown.size, seen, False, None)
        after = self._vouch(seen, shown.offer, at)
        return Look(origin, shown.entries, shown.size, after, True, None)

    def _vouch(self, before: Seen | None, offer: Offer, at: datetime) -> Seen:
        note = cosign(offer.note, self._name, self._key, int(at.timestamp()))
        after = Seen(offer.checkpoint.size, offer.checkpoint.root, note)
        self._memory.remember(offer.checkpoint.origin, before, after, at)
        return after

    def _publics(self, claimed: Checkpoint, at: datetime) -> tuple[bytes, ...]:
        """Keys that may sign a checkpoint of that size now; it is the entry of that number."""
        match = _ORIGIN.fullmatch(claimed.origin)
        if match is None or match[1] == CLIENT:
            return ()
        principal = layout.principal(match[1], match[2])
        return tuple(
            signer.public
            for signer in self._signers.signers
            if signer.principal == principal
            and signer.refuses(sshsig.GIT_NAMESPACE, at, claimed.size) is None
        )

    def _keep_proof(self, refusal: Refuse, request: Request, at: datetime) -> None:
        if not refusal.second_root:
            return
        claimed = request.claimed
        shown = {
            "commit": None,
            "size": claimed.size,
            "root": claimed.root.hex(),
            "note": request.note,
        }
        message = f"log signed another root at {claimed.size} entries than was vouched for"
        code = Code.EQUIVOCATION.value
        self._memory.object_to(Objection(claimed.origin, code, message, shown), at)


def _branches(store: ObjectStore) -> set[tuple[str, str]]:
    matches = filter(None, map(_BRANCH.fullmatch, store.refs()))
    return {(match[1], match[2]) for match in matches if match[1] != CLIENT}
