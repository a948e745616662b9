"""What each key of a branch did; also on a branch that does not verify any more.

For people who look after keys. It is no audit: whether all this was allowed is said elsewhere.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from reconciler.evidence.entry import Entry, Kind
from reconciler.evidence.history import Step
from reconciler.evidence.key_life import change_of, next_key
from reconciler.evidence.record import Record

UNANNOUNCED = "unannounced"


@dataclass(slots=True)
class Usage:
    """What one key did on a branch.

    Attributes:
        public: The key, 32 bytes.
        by: What made it the branch's key: ``genesis``, ``rotate``, ``replace``, or nothing
            (``unannounced``).
        reason: Why it took over, None if nobody said.
        entries: How many entries it signed.
        first: The oldest of them, None if there is none.
        last: The newest of them, None if there is none.
        current: Whether the branch goes on with it.
    """

    public: bytes
    by: str = UNANNOUNCED
    reason: str | None = None
    entries: int = 0
    first: Entry | None = None
    last: Entry | None = None
    current: bool = False


@dataclass(frozen=True, slots=True)
class BranchKeys:
    """The keys of one branch.

    Attributes:
        uses: Its keys, oldest first.
        faults: How many things are wrong with single entries or between neighbours.
    """

    uses: tuple[Usage, ...]
    faults: int


def uses_of(steps: Iterable[Step]) -> BranchKeys:
    """Look through a branch, newest entry first."""
    uses: dict[bytes, Usage] = {}
    faults = 0
    for step in steps:
        faults += len(step.faults)
        if step.record is None:
            continue
        if not uses:
            current = next_key(step.record)
            uses[current] = Usage(current, current=True)
        _add(uses, step.record)
    return BranchKeys(tuple(reversed(uses.values())), faults)


def _add(uses: dict[bytes, Usage], record: Record) -> None:
    """Take in the next older entry."""
    change = change_of(record)
    if change is not None:
        made = uses.setdefault(change.public, Usage(change.public))
        made.by, made.reason = change.action.value, change.reason.value
    use = uses.setdefault(record.public, Usage(record.public))
    use.entries += 1
    use.first, use.last = record.entry, use.last or record.entry
    if record.entry.kind is Kind.GENESIS:
        use.by = record.entry.kind.value
