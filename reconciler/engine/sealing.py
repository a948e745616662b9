"""Sealing: unchanged runs of up to an hour under one signature.

Each such run is on the disk before it counts (`reconciler.engine.pending`). They become one entry
when they are old enough, before any other entry, when the daemon ends, and at the next start after
a crash; then the entry says how long ago the last of them was.

Rule 1: Nothing is sealed twice: what a crash left is compared with the entry that would hold it.
Rule 2: Nothing is sealed under a clock that must not sign; callers ask `refuse_jump` first.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.engine.facts import Facts
from reconciler.engine.past import Past
from reconciler.engine.pending import MOST, PendingFile, Waiting, whole
from reconciler.errors import ClockWrong
from reconciler.evidence.entry import Clock, Kind, stamp
from reconciler.evidence.follow import ended_at
from reconciler.evidence.record import Record
from reconciler.ledger.store import Ledger, Receipt

if TYPE_CHECKING:
    from reconciler.engine.session import Hook

FILE = "pending-runs"


@dataclass(slots=True)
class Queue:
    """Runs of one appliance that wait to be sealed.

    Attributes:
        file: Where they are.
        waiting: What they are; None if none wait.
        left_over: Whether an earlier process left them.
        trouble: What of them could not be read or kept, until it is said.
        aside: Whether the file must not be removed, because of that.
    """

    file: PendingFile
    waiting: Waiting | None = None
    left_over: bool = False
    trouble: str | None = None
    aside: bool = False

    @property
    def last(self) -> datetime | None:
        """When the newest of them was recorded; None if none wait."""
        return None if self.waiting is None else self.waiting.last

    def say(self) -> str | None:
        """What was wrong, once."""
        trouble, self.trouble = self.trouble, None
        return trouble


def load_queue(state: Path) -> Queue:
    """What an earlier process left; nothing is changed.

    Args:
        state: Directory of the appliance's state.

    Raises:
        MachineError: The file cannot be read.
    """
    file = PendingFile(state / FILE)
    waiting, trouble = file.read()
    torn = trouble is not None
    return Queue(file, waiting, waiting is not None or torn, trouble, torn)


def newest_moment(ledger: Ledger, queue: Queue) -> datetime:
    """When the newest entry was recorded, or the newest run that waits to be sealed."""
    recorded = ledger.tip.time
    return recorded if queue.last is None else max(recorded, queue.last)


def enqueue(
    queue: Queue, ledger: Ledger, at: datetime, *, like: int, reached: bool, took_ms: int
) -> None:
    """Put a run that found what an older one found on the disk; it counts when this returns.

    Args:
        queue: Of this appliance.
        ledger: Its ledger.
        at: When the run is recorded.
        like: The run whose findings it repeats.
        reached: Whether it reached the fleet repository.
        took_ms: How long it took.

    Raises:
        ClockWrong: The clock went back since the run before.
        MachineError: It cannot be written; the run does not count.
    """
    now, waiting = whole(at), queue.waiting
    _check_order(queue, now)
    if waiting is None:
        after = ledger.head.tip.reference
        waiting = Waiting(after, like, reached, ((now, took_ms),))
        queue.file.begin(waiting)
    else:
        queue.file.add(now, took_ms)
        waiting = replace(waiting, runs=(*waiting.runs, (now, took_ms)))
    queue.waiting = waiting


def ripe(queue: Queue, at: datetime, seal_s: int, promise_s: int) -> bool:
    """Whether the runs that wait must be sealed now, because the next run would be too late.

    Args:
        queue: Of this appliance.
        at: The time; also that of the first run, if none wait yet.
        seal_s: How long a run may wait.
        promise_s: Within how many seconds the next run follows.
    """
    first = at if queue.waiting is None else queue.waiting.first
    full = queue.waiting is not None and len(queue.waiting.runs) >= MOST
    return full or at + timedelta(seconds=promise_s) >= first + timedelta(seconds=seal_s)


def seal(
    ledger: Ledger, past: Past, queue: Queue, facts: Facts, at: datetime, hook: "Hook"
) -> Receipt | None:
    """Make one entry of the runs that wait, if any do.

    Args:
        ledger: Of this appliance.
        past: What is remembered of it.
        queue: What waits.
        facts: The machine's time, under which it may sign.
        at: Wall time.
        hook: Called between steps.

    Returns:
        The receipt; None if nothing was there to seal.

    Raises:
        ClockWrong: The clock went back since the newest of them.
        EvidenceError: It cannot be signed; the runs stay in the file.
        MachineError: It cannot be written; the runs stay in the file.
    """
    waiting = _unsealed(ledger, queue) if queue.left_over else queue.waiting
    if waiting is None:
        return None
    _check_order(queue, whole(at))
    hook("before-seal")
    clock = _reading(ledger, facts, at)
    body = waiting.body(at)
    if clock.uptime_s is not None:
        # How long ago it was seen counts up to this reading, so there must be one.
        body |= past.standing.at(facts.clocks()).news()
    receipt = ledger.append_slim(Kind.RUN, body, at=at, clock=clock)
    past.follow(ledger.head.tip)
    hook("after-seal")
    _forget(queue)
    hook("after-forget")
    return receipt


def _check_order(queue: Queue, now: datetime) -> None:
    if queue.last is not None and now < queue.last:
        message = f"the clock says {stamp(now)}, but the newest run is of {stamp(queue.last)}"
        hint = "Set the clock right (timedatectl); evidence never goes back in time."
        raise ClockWrong(message, hint=hint)


def _reading(ledger: Ledger, facts: Facts, at: datetime) -> Clock:
    """The clock as it is; uptime only of the boot that the entry inherits from its base."""
    reading = facts.reading(at)
    same = facts.boot_id == ledger.head.base.boot_id
    return reading if same else replace(reading, uptime_s=None)


def _forget(queue: Queue) -> None:
    queue.file.clear(aside=queue.aside)
    queue.waiting, queue.left_over, queue.aside = None, False, False


def _unsealed(ledger: Ledger, queue: Queue) -> Waiting | None:
    """What an earlier process left and did not seal; what it did is forgotten."""
    waiting = queue.waiting
    if waiting is not None and ledger.head.tip.reference == waiting.after:
        return waiting
    if waiting is not None and not _sealed(ledger, waiting):
        # No entry may stand for runs of a time that another one has spoken for.
        what = f"{len(waiting.runs)} runs that come after entry {waiting.after.seq}"
        queue.trouble = f"{queue.file.path}: {what}, where this ledger holds something else"
        queue.aside = True
    _forget(queue)
    return None


def _sealed(ledger: Ledger, waiting: Waiting) -> bool:
    wanted = waiting.after.seq + 1
    for record in ledger.entries(since_seq=wanted):
        if record.entry.seq == wanted:
            return record.entry.previous == waiting.after.digest and _holds(record, waiting)
    return False


def _holds(record: Record, waiting: Waiting) -> bool:
    """Whether an entry is the seal of these runs."""
    entry = record.entry
    said = (entry.body.get("like"), entry.body.get("ticks"))
    if entry.kind is not Kind.RUN or not entry.slim or said != (waiting.like, waiting.ticks):
        return False
    return ended_at(record) == stamp(waiting.last)
