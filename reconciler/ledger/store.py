"""The ledger: append one signed entry, read proven entries back.

Rule 1: An entry is on the disk before anybody gets its receipt.
Rule 2: The branch moves by compare-and-swap from the entry this process proved; there is no rebase.
Rule 3: What does not verify is not returned, and stops the ledger from being used.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from reconciler.errors import ClockWrong, EvidenceError, LedgerMissing
from reconciler.evidence import layout, sshsig
from reconciler.evidence import statement as statements
from reconciler.evidence.canonical import digest
from reconciler.evidence.fault import Fault
from reconciler.evidence.follow import open_after
from reconciler.evidence.history import history
from reconciler.evidence.record import Branch, Record
from reconciler.evidence.signers import AllowedSigners, Signer
from reconciler.evidence.statement import Entry, Kind, Reference, Subject
from reconciler.ledger.objects import ObjectStore, repository_directory
from reconciler.ledger.provenance import boot_id as this_boot
from reconciler.ledger.provenance import tool_versions
from reconciler.ledger.reader import proven, tip_of
from reconciler.ledger.receipt import Receipt, TailCheck
from reconciler.ledger.repository import create_repository
from reconciler.ledger.writer import Writer

__all__ = ["Ledger", "Receipt", "Record", "TailCheck"]

_RESTORE = "Do not delete it: restore the ledger from its remote, then run reconciler verify."


class Ledger:
    """One appliance's ledger, open for reading and appending."""

    def __init__(self, path: Path, branch: Branch, key: Ed25519PrivateKey) -> None:
        """Use `create` or `open`; this proves nothing by itself."""
        self._path = path
        self._branch = branch
        self._store = ObjectStore(repository_directory(path))
        self._writer = Writer(path, key)
        self._public = sshsig.raw_public(key)
        self._tip: Record | None = None

    @classmethod
    def create(
        cls,
        path: Path,
        client: str,
        host: str,
        key: Ed25519PrivateKey,
        *,
        body: Mapping[str, Any],
        at: datetime,
        signers_file: Path,
        subject: Subject | None = None,
        boot_id: str | None = None,
    ) -> "Ledger":
        """Make a repository with a signed first entry.

        Args:
            path: Directory of the repository; may exist if it is empty.
            client: One clinic, a DNS label.
            host: The appliance, a DNS label.
            key: Signs this and later entries.
            body: What the first entry says.
            at: Wall time, timezone-aware.
            signers_file: Allowed signers file that ``git verify-commit`` is told to use.
            subject: The desired state in force, if there is one.
            boot_id: The kernel's boot id; read from the kernel if not given.

        Raises:
            InputError: There is something in that place already.
            EvidenceError: A name, the time or the body cannot be written as evidence.
            MachineError: Disk full, read-only, no permission.
        """
        branch = Branch(client, host, _only(key, client, host))
        create_repository(path, client, host, signers_file)
        ledger = cls(path, branch, key)
        ledger._append(Kind.GENESIS, body, at, subject, None, boot_id)
        return ledger

    @classmethod
    def open(
        cls,
        path: Path,
        client: str,
        host: str,
        key: Ed25519PrivateKey,
        *,
        signers: AllowedSigners | None = None,
    ) -> "Ledger":
        """Open a ledger after proving its newest entry and that it follows the one before.

        The cost does not grow with history; `reconciler.ledger.verify` proves all of it.

        Args:
            path: Directory of the repository.
            client: One clinic.
            host: The appliance.
            key: Signs entries that are appended.
            signers: Who may have signed so far; only ``key`` if not given.

        Raises:
            LedgerMissing: No repository, or no branch of this appliance in it.
            LedgerDamaged: The newest entry does not verify.
        """
        branch = Branch(client, host, signers or _only(key, client, host))
        ledger = cls(path, branch, key)
        ledger._tip = next(ledger.entries())
        return ledger

    @property
    def tip(self) -> Entry:
        """The newest entry."""
        return self._newest().entry

    @property
    def open_intents(self) -> tuple[Reference, ...]:
        """Intents that no outcome has closed yet, oldest first."""
        return open_after(self._newest())

    def append(
        self,
        kind: Kind,
        body: Mapping[str, Any],
        *,
        at: datetime,
        subject: Subject | None,
        closes: Reference | None = None,
        boot_id: str | None = None,
    ) -> Receipt:
        """Append one signed entry; it is on the disk when this returns.

        Args:
            kind: What it is about; not ``genesis``.
            body: What it says: JSON values without floats.
            at: Wall time, timezone-aware, not before the newest entry.
            subject: The desired state in force, None if there is none.
            closes: For an outcome, the open intent it closes.
            boot_id: The kernel's boot id; read from the kernel if not given.

        Raises:
            ClockWrong: The clock went back.
            EvidenceError: The intent is not open, the body cannot be written as evidence, or
                somebody else moved the branch.
            Busy: Another process is appending.
            MachineError: Disk full, read-only, no permission; the entry is not part of the ledger.
        """
        self._check_order(kind, at, closes)
        return self._append(kind, body, at, subject, closes, boot_id)

    def entries(
        self, *, newest_first: bool = True, since_seq: int | None = None
    ) -> Iterator[Record]:
        """Proven entries: each one's signatures, and that it follows the one before.

        Args:
            newest_first: Whether to start at the newest; otherwise the wanted part is proven as a
                whole before its oldest entry is returned.
            since_seq: Oldest sequence number wanted, None for all.

        Raises:
            LedgerMissing: There is no branch of this appliance.
            LedgerDamaged: Something does not verify; what came before it was proven.
        """
        backwards = self._backwards(since_seq)
        return backwards if newest_first else reversed(tuple(backwards))

    def check_tail(self, count: int) -> TailCheck:
        """Prove the newest entries again, as they are on the disk now.

        Args:
            count: How many, at most.
        """
        checked = 0
        faults: list[Fault] = []
        try:
            tip = tip_of(self._store, self._branch, self._path)
            for step in history(self._store, self._branch, tip):
                faults += step.faults
                checked += 1
                if checked == count:
                    break
        except EvidenceError as error:
            return TailCheck(False, checked, (str(error),))
        return TailCheck(not faults and checked > 0, checked, tuple(map(str, faults)))

    def close(self) -> None:
        """End the writing threads."""
        self._writer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _newest(self) -> Record:
        if self._tip is None:
            raise LedgerMissing(f"no entry in {self._path}", hint=_RESTORE)
        return self._tip

    def _backwards(self, since_seq: int | None) -> Iterator[Record]:
        for record in proven(self._store, self._branch, self._path):
            if since_seq is not None and record.entry.seq < since_seq:
                return
            yield record

    def _check_order(self, kind: Kind, at: datetime, closes: Reference | None) -> None:
        newest = self._newest().entry.recorded_at
        if kind is Kind.GENESIS:
            raise EvidenceError("a ledger begins once", hint="Append another kind of entry.")
        if statements.stamp(at) < newest:
            message = f"the clock says {statements.stamp(at)}, but the newest entry is of {newest}"
            hint = "Set the clock right (timedatectl); evidence never goes back in time."
            raise ClockWrong(message, hint=hint)
        if closes is not None and closes not in self.open_intents:
            message = f"intent {closes.seq} is not open"
            raise EvidenceError(message, hint="An intent is closed once, by its own outcome.")

    def _append(
        self,
        kind: Kind,
        body: Mapping[str, Any],
        at: datetime,
        subject: Subject | None,
        closes: Reference | None,
        boot_id: str | None,
    ) -> Receipt:
        before = self._tip
        still_open = () if before is None else open_after(before)
        entry = Entry(
            kind=kind,
            seq=statements.FIRST_SEQ if before is None else before.entry.seq + 1,
            previous=None if before is None else before.digest,
            ref=self._branch.ref,
            client=self._branch.client,
            host=self._branch.host,
            recorded_at=statements.stamp(at),
            boot_id=boot_id or this_boot(),
            tool=tool_versions(),
            subject=subject,
            closes=closes,
            open=tuple(reference for reference in still_open if reference != closes),
            body=body,
        )
        payload = statements.to_payload(entry)
        commit = self._writer.write(entry, payload, None if before is None else before.commit)
        self._tip = Record(commit, entry, digest(payload), self._public)
        return Receipt(entry.seq, kind.value, commit, self._tip.digest, entry.ref)


def _only(key: Ed25519PrivateKey, client: str, host: str) -> AllowedSigners:
    """One key speaks for one appliance, at any time."""
    principal = layout.principal(client, host)
    namespaces = (sshsig.GIT_NAMESPACE,)
    signer = Signer(principal, sshsig.raw_public(key), namespaces, None, None, "", 1)
    return AllowedSigners("the key of this appliance", (signer,))
