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

from reconciler.errors import ClockWrong, EvidenceError, LedgerDamaged
from reconciler.evidence import layout, slim, sshsig
from reconciler.evidence import statement as statements
from reconciler.evidence.canonical import digest
from reconciler.evidence.entry import UNKNOWN_CLOCK, Clock
from reconciler.evidence.fault import Fault
from reconciler.evidence.history import history
from reconciler.evidence.note import Checkpoint, sign_checkpoint
from reconciler.evidence.record import Branch, Record
from reconciler.evidence.signers import AllowedSigners
from reconciler.evidence.statement import Entry, Kind, Reference, Subject
from reconciler.ledger.compose import following, following_slim, genesis
from reconciler.ledger.head import Head, first, read_head
from reconciler.ledger.objects import ObjectStore, repository_directory
from reconciler.ledger.own_key import check_key, only
from reconciler.ledger.provenance import boot_id as this_boot
from reconciler.ledger.provenance import tool_versions
from reconciler.ledger.reader import proven, tip_of
from reconciler.ledger.receipt import Receipt, TailCheck
from reconciler.ledger.repository import create_repository
from reconciler.ledger.writer import Writer

__all__ = ["Ledger", "Receipt", "Record", "TailCheck"]

_RESTORE = "Do not delete it: restore the ledger from its remote, then run reconciler verify."


class Ledger:
    """One appliance's ledger, open for reading and appending.

    Attributes:
        path: Directory of the repository.
        branch: Whose ledger it is, and who may have signed.
    """

    def __init__(self, path: Path, branch: Branch, key: Ed25519PrivateKey) -> None:
        """Use `create` or `open`; this proves nothing by itself."""
        self.path, self.branch = path, branch
        self._key = key
        self._store = ObjectStore(repository_directory(path))
        self._writer = Writer(path, key)
        self._public = sshsig.raw_public(key)
        self._head: Head | None = None

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
        branch = Branch(client, host, only(key, client, host))
        create_repository(path, client, host, signers_file)
        ledger = cls(path, branch, key)
        entry = genesis(branch, body, at, subject, boot_id)
        ledger._write(entry, statements.to_payload(entry))
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
        branch = Branch(client, host, signers or only(key, client, host))
        ledger = cls(path, branch, key)
        ledger._head = read_head(ledger.entries())
        check_key(ledger._head.tip, ledger._public, path)
        return ledger

    @property
    def tip(self) -> Entry:
        """The newest entry."""
        return self.head.tip.entry

    @property
    def head(self) -> Head:
        """The newest part: the newest entry and the log of all."""
        if self._head is None:
            raise LedgerDamaged(f"no entry in {self.path}", hint=_RESTORE)
        return self._head

    @property
    def open_intents(self) -> tuple[Reference, ...]:
        """Intents that no outcome has closed yet, oldest first."""
        return self.head.open_intents

    def append(
        self,
        kind: Kind,
        body: Mapping[str, Any],
        *,
        at: datetime,
        subject: Subject | None,
        clock: Clock = UNKNOWN_CLOCK,
        closes: Reference | None = None,
        boot_id: str | None = None,
    ) -> Receipt:
        """Append one signed entry; it is on the disk when this returns.

        Args:
            kind: What it is about; not ``genesis``.
            body: What it says: JSON values without floats.
            at: Wall time, timezone-aware, not before the newest entry.
            subject: The desired state in force, None if there is none.
            clock: What the machine knows of its time.
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
        entry = following(
            self.head,
            kind,
            body,
            at=at,
            clock=clock,
            subject=subject,
            closes=closes,
            boot_id=boot_id,
        )
        return self._write(entry, statements.to_payload(entry))

    def slim_allowed(self, subject: Subject | None, boot_id: str | None = None) -> bool:
        """Whether the next entry may do without a file: nothing it would leave out has changed."""
        return self.head.same_context(subject, boot_id or this_boot(), tool_versions())

    def append_slim(
        self, kind: Kind, body: Mapping[str, Any], *, at: datetime, clock: Clock = UNKNOWN_CLOCK
    ) -> Receipt:
        """Append one signed entry without a file; ask `slim_allowed` first.

        Args:
            kind: ``run``, ``heartbeat`` or ``checkpoint``.
            body: What it says: JSON values without floats, short.
            at: Wall time, timezone-aware, not before the newest entry.
            clock: What the machine knows of its time.

        Raises as `append` does.
        """
        self._check_order(kind, at, None)
        entry = following_slim(self.head, kind, body, at=at, clock=clock)
        return self._write(entry, slim.to_line(entry))

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
            tip = tip_of(self._store, self.branch, self.path)
            for step in history(self._store, self.branch, tip):
                faults += step.faults
                checked += 1
                if checked == count:
                    break
        except EvidenceError as error:
            return TailCheck(False, checked, (str(error),))
        return TailCheck(not faults and checked > 0, checked, tuple(map(str, faults)))

    def note(self) -> str:
        """The root of the log as it is now, signed: the text of a C2SP checkpoint."""
        log, origin = self.head.log, layout.origin(self.branch.client, self.branch.host)
        return sign_checkpoint(Checkpoint(origin, log.size, log.root()), self._key)

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

    def _backwards(self, since_seq: int | None) -> Iterator[Record]:
        for record in proven(self._store, self.branch, self.path):
            if since_seq is not None and record.entry.seq < since_seq:
                return
            yield record

    def _check_order(self, kind: Kind, at: datetime, closes: Reference | None) -> None:
        newest = self.tip.recorded_at
        if kind is Kind.GENESIS:
            raise EvidenceError("a ledger begins once", hint="Append another kind of entry.")
        if statements.stamp(at) < newest:
            message = f"the clock says {statements.stamp(at)}, but the newest entry is of {newest}"
            hint = "Set the clock right (timedatectl); evidence never goes back in time."
            raise ClockWrong(message, hint=hint)
        if closes is not None and closes not in self.open_intents:
            message = f"intent {closes.seq} is not open"
            raise EvidenceError(message, hint="An intent is closed once, by its own outcome.")

    def _write(self, entry: Entry, payload: bytes) -> Receipt:
        before = self._head
        commit = self._writer.write(entry, payload, before.tip.commit if before else None)
        path = None if entry.slim else layout.entry_path(entry)
        record = Record(commit, entry, digest(payload), self._public, path)
        self._head = before.after(record) if before else first(record)
        return Receipt(entry.seq, entry.kind.value, commit, record.digest, entry.ref)
