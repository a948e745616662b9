"""What anchor work is due: a pure function of what the ledger has, what was tried, and the time.

Rule 1: That there is nothing to do is a conclusion from ages, never from an empty list. A way that
    was asked for and has not come to a whole proof for days is an alarm, whatever the reason: an
    authority that is gone, proofs that stay pending, or a ledger that writes no checkpoints.
Rule 2: A single proof that stays pending is an alarm for itself until it is given up. That loses no
    evidence: a checkpoint is in every later one, so the next whole proof covers it, a day later.
Rule 3: Nobody is asked again and again: once a day for a new proof, and for a pending one after a
    pause that grows with its age.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain

from reconciler.evidence.canonical import digest
from reconciler.ledger.anchors.model import Anchor, AnchorState, CheckpointRef, Method

MAX_UPGRADES = 8
"""Pending proofs that are taken on in one go; the others stay due."""

_LONGEST_PAUSE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Way:
    """One way to an independent time: a method and who vouches."""

    method: Method
    authority: str

    def __str__(self) -> str:
        return f"{self.method} by {self.authority}"


@dataclass(frozen=True, slots=True)
class Pace:
    """How often; the same for every way.

    Attributes:
        every: Time from one new proof to the next.
        retry: Shortest pause after an attempt.
        alarm: Age from which on it is an alarm: of the last whole proof, or of a pending one.
        give_up: Age from which on a pending proof is left alone.
    """

    every: timedelta = timedelta(days=1)
    retry: timedelta = timedelta(minutes=15)
    alarm: timedelta = timedelta(days=3)
    give_up: timedelta = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A checkpoint of the ledger.

    Attributes:
        ref: Its entry.
        note: The whole text of its signed note, UTF-8.
    """

    ref: CheckpointRef
    note: bytes

    @property
    def note_sha256(self) -> str:
        """What is stamped, hex."""
        return digest(self.note)


@dataclass(frozen=True, slots=True)
class Anchored:
    """An ``anchor`` entry of the ledger.

    Attributes:
        seq: Its own sequence number.
        at: Its time.
        anchor: Its body.
    """

    seq: int
    at: datetime
    anchor: Anchor

    @property
    def way(self) -> Way:
        """The way it came."""
        return Way(self.anchor.method, self.anchor.authority)


@dataclass(frozen=True, slots=True)
class Stamp:
    """Have a checkpoint stamped."""

    way: Way
    checkpoint: Checkpoint

    @property
    def key(self) -> str:
        """What an attempt is remembered by."""
        return f"stamp {self.way}"


@dataclass(frozen=True, slots=True)
class Upgrade:
    """Ask what became of a pending proof."""

    entry: Anchored

    @property
    def way(self) -> Way:
        """The way it came."""
        return self.entry.way

    @property
    def key(self) -> str:
        """What an attempt is remembered by."""
        return f"upgrade {self.entry.anchor.note_sha256}"


@dataclass(frozen=True, slots=True)
class Alarm:
    """A way, or a proof of it, has not come to anything for too long.

    Attributes:
        way: Which one.
        message: What and since when, in one sentence.
    """

    way: Way
    message: str


Work = Stamp | Upgrade | Alarm


@dataclass(frozen=True, slots=True)
class LedgerView:
    """What the ledger says about anchors.

    Attributes:
        newest: The newest checkpoint; None if there is none, which excuses nothing.
        anchors: Every ``anchor`` entry, in the order of the ledger.
        since: When anchoring began: the time of the first checkpoint, or of the genesis.
        tried: When this process last tried what, by the key of the work; as `keeper` gave it back.
    """

    newest: Checkpoint | None
    anchors: Sequence[Anchored]
    since: datetime
    tried: Mapping[str, datetime]


def due(view: LedgerView, ways: Sequence[Way], now: datetime, pace: Pace) -> list[Work]:
    """What is to be done now.

    Args:
        view: What the ledger has.
        ways: What is wanted; each is kept going for itself.
        now: The time.
        pace: How often.

    Returns:
        Alarms, then stamps, then at most `MAX_UPGRADES` upgrades, the longest untried first.
    """
    came: dict[Way, list[Anchored]] = {way: [] for way in ways}
    for entry in view.anchors:
        if entry.way in came:
            came[entry.way].append(entry)
    work: list[Work] = []
    pending = {way: _pending(entries, now - pace.give_up) for way, entries in came.items()}
    for way, entries in came.items():
        work += _silent(way, entries, view.since, now, pace)
        work += _stuck(way, pending[way], now - pace.alarm)
    for way, entries in came.items():
        work += _stamp(way, entries, view, now, pace)
    return work + _upgrades(chain.from_iterable(pending.values()), view, now, pace)


def _silent(
    way: Way, entries: Sequence[Anchored], since: datetime, now: datetime, pace: Pace
) -> Iterator[Alarm]:
    whole = [item.at for item in entries if item.anchor.state is AnchorState.COMPLETE]
    last = max([since, *whole])
    if now - last > pace.alarm:
        what = "the last whole proof came" if whole else "no whole proof has come since"
        yield Alarm(way, f"{what} {last:%Y-%m-%dT%H:%M:%SZ}, {(now - last).days} days ago")


def _stuck(way: Way, pending: Sequence[Anchored], before: datetime) -> Iterator[Alarm]:
    stuck = [entry for entry in pending if entry.at < before]
    if stuck:
        oldest = min(stuck, key=lambda entry: entry.at)
        what = f"proofs that stay pending: {len(stuck)}, the oldest is entry {oldest.seq}"
        yield Alarm(way, f"{what} of {oldest.at:%Y-%m-%dT%H:%M:%SZ}")


def _stamp(
    way: Way, entries: Sequence[Anchored], view: LedgerView, now: datetime, pace: Pace
) -> Iterator[Stamp]:
    # By note, so that the completion of yesterday's proof does not put off today's.
    first: dict[str, datetime] = {}
    for entry in entries:
        first.setdefault(entry.anchor.note_sha256, entry.at)
    if view.newest is None or view.newest.note_sha256 in first:
        return
    work = Stamp(way, view.newest)
    last = max(first.values(), default=None)
    rested = work.key not in view.tried or now - view.tried[work.key] >= pace.retry
    if rested and (last is None or now - last >= pace.every):
        yield work


def _upgrades(
    pending: Iterable[Anchored], view: LedgerView, now: datetime, pace: Pace
) -> list[Upgrade]:
    ready = []
    for entry in pending:
        last = view.tried.get(Upgrade(entry).key, entry.at)
        pause = min(max((now - entry.at) / 4, pace.retry), _LONGEST_PAUSE)
        if now - last >= pause:
            ready.append((last, entry.seq, entry))
    ready.sort(key=lambda item: item[:2])
    return [Upgrade(entry) for _, _, entry in ready[:MAX_UPGRADES]]


def _pending(entries: Iterable[Anchored], after: datetime) -> list[Anchored]:
    """The newest entry of each note that has no whole proof yet and is not given up."""
    newest: dict[str, Anchored] = {}
    whole = set()
    for entry in entries:
        newest[entry.anchor.note_sha256] = entry
        if entry.anchor.state is AnchorState.COMPLETE:
            whole.add(entry.anchor.note_sha256)
    return [entry for note, entry in newest.items() if note not in whole and entry.at > after]
