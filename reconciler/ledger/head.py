"""The newest part of a ledger: its newest entry, the newest one with a file, and the log of all.

What the next entry says of the ones before it is here, and it is read back from the newest entry
with a file, so that opening costs the same however long the history is.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from reconciler.errors import LedgerDamaged
from reconciler.evidence.entry import Entry
from reconciler.evidence.follow import open_after
from reconciler.evidence.merkle import Frontier, leaf_hash
from reconciler.evidence.record import Record
from reconciler.evidence.statement import Reference, Subject

_HINT = "Do not delete it: run reconciler verify, and restore the ledger from its remote."


@dataclass(frozen=True, slots=True)
class Head:
    """The newest part of a ledger.

    Attributes:
        tip: The newest entry.
        base: The newest entry that has a file.
        log: The log of all entries, the newest included.
    """

    tip: Record
    base: Entry
    log: Frontier

    @property
    def open_intents(self) -> tuple[Reference, ...]:
        """Intents that no outcome has closed yet, oldest first."""
        return open_after(self.tip)

    def after(self, record: Record) -> "Head":
        """The newest part once one more entry is written."""
        base = self.base if record.entry.slim else record.entry
        return Head(record, base, self.log.append(_leaf(record)))

    def same_context(self, subject: Subject | None, boot_id: str, tool: object) -> bool:
        """Whether the next entry may leave out what is as it was in the base."""
        base = self.base
        same = (base.subject, base.boot_id, base.tool) == (subject, boot_id, tool)
        return same and not self.open_intents


def first(record: Record) -> Head:
    """The newest part of a ledger that has one entry."""
    return Head(record, record.entry, Frontier.empty().append(_leaf(record)))


def read_head(newest_first: Iterator[Record]) -> Head:
    """Read the newest part.

    Args:
        newest_first: Proven entries.

    Raises:
        LedgerDamaged: An entry does not verify, or the log does not fit them.
    """
    newer: list[Record] = []
    for record in newest_first:
        log = record.entry.log
        if log is not None:
            head = Head(record, record.entry, log.append(_leaf(record)))
            for later in reversed(newer):
                head = head.after(later)
            return head
        newer.append(record)
    raise LedgerDamaged("no entry of the ledger has a file", hint=_HINT)


def _leaf(record: Record) -> bytes:
    return leaf_hash(bytes.fromhex(record.digest))
