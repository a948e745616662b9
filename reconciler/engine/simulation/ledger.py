"""A ledger in memory for simulations: entries in order, followed like any other, signed by nobody.

It hands out receipts, so that the executor works as it does on a machine; nothing that it holds is
evidence, and nothing of it leaves the process.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from reconciler.evidence.entry import UNKNOWN_CLOCK, Clock, Entry, Kind, Reference, Subject, stamp
from reconciler.evidence.follow import open_after
from reconciler.evidence.record import Record
from reconciler.ledger.receipt import Receipt

Listener = Callable[[Record], None]


@dataclass(frozen=True, slots=True)
class MemoryHead:
    """The newest entry."""

    tip: Record


class MemoryLedger:
    """What `reconciler.ledger.store.Ledger` is for a run, without a disk.

    Attributes:
        head: The newest entry.
    """

    def __init__(self, client: str, host: str, at: datetime, listener: Listener) -> None:
        """Begin with a genesis.

        Args:
            client: One clinic.
            host: The appliance.
            at: When it begins.
            listener: Told every entry after it was appended.
        """
        self._client, self._host = client, host
        self._listener = listener
        self.head = MemoryHead(self._record(Kind.GENESIS, {}, at, UNKNOWN_CLOCK, None, None, ()))

    @property
    def tip(self) -> Entry:
        """The newest entry."""
        return self.head.tip.entry

    def slim_allowed(self, subject: Subject | None, boot_id: str | None) -> bool:
        """Never: a simulation tells every run in full."""
        del subject, boot_id
        return False

    def append(
        self,
        kind: Kind,
        body: Mapping[str, Any],
        *,
        at: datetime,
        clock: Clock,
        boot_id: str | None = None,
        subject: Subject | None = None,
        closes: Reference | None = None,
    ) -> Receipt:
        """Take an entry in; the arguments are those of the real one."""
        opened = tuple(each for each in open_after(self.head.tip) if each != closes)
        record = self._record(kind, body, at, clock, subject, closes, opened, boot_id)
        self.head = MemoryHead(record)
        self._listener(record)
        return Receipt(record.entry.seq, kind.value, record.commit, record.digest, record.entry.ref)

    def _record(
        self,
        kind: Kind,
        body: Mapping[str, Any],
        at: datetime,
        clock: Clock,
        subject: Subject | None,
        closes: Reference | None,
        opened: tuple[Reference, ...],
        boot_id: str | None = None,
    ) -> Record:
        first = kind is Kind.GENESIS
        seq = 0 if first else self.tip.seq + 1
        entry = Entry(
            kind=kind,
            seq=seq,
            previous=None if first else self.head.tip.digest,
            ref=f"refs/heads/{self._client}/{self._host}",
            client=self._client,
            host=self._host,
            recorded_at=stamp(at),
            clock=clock,
            base=None,
            boot_id=boot_id,
            tool={},
            subject=subject,
            log=None,
            closes=closes,
            open=opened,
            body=body,
        )
        named = sha256(f"{entry.ref}@{seq}".encode()).hexdigest()
        return Record(named[:40], entry, named, b"")
