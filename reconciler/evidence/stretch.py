"""A stretch of history: neighbouring entries, examined, and what of them the whole audit needs.

Entries are examined one by one, which can happen anywhere and in any order; what is true of a
history as a whole (its log, its keys, its gaps) is decided from stretches, in order, by
`reconciler.evidence.audit`. A stretch is small and plain, so it crosses processes.
"""

from array import array
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from reconciler.evidence.entry import Kind
from reconciler.evidence.fault import Code, Fault, Place
from reconciler.evidence.history import Step
from reconciler.evidence.merkle import Frontier
from reconciler.evidence.moments import milliseconds, moments
from reconciler.evidence.record import Record

MAX_FAULTS = 1000

_MARKS = frozenset(Kind) - {Kind.RUN, Kind.HEARTBEAT, Kind.INTENT, Kind.OUTCOME}


@dataclass(frozen=True, slots=True)
class Claim:
    """What an entry says of the log before it.

    Attributes:
        place: The entry.
        log: The log of all entries before it.
    """

    place: Place
    log: Frontier


@dataclass(frozen=True, slots=True)
class Repeat:
    """Neighbouring runs that say they found what an older run found.

    Attributes:
        place: The oldest of them.
        first: Sequence number of the oldest.
        last: Sequence number of the newest.
        like: Sequence number of the run whose findings they repeat.
    """

    place: Place
    first: int
    last: int
    like: int


@dataclass(slots=True)
class Stretch:
    """Neighbouring entries; lists are newest first.

    Attributes:
        entries: How many entries are proven.
        holes: Commits that prove nothing, or were not looked at.
        torn: Whether its newest commit, and whether its oldest one, proves nothing.
        newest: The newest proven entry.
        oldest: The oldest proven entry.
        counts: Proven entries by kind.
        runs: How many runs they stand for: a sealed hour is many.
        faults: Everything that is wrong inside the stretch.
        digests: Statement digests, 32 bytes each.
        times: When each run or entry was, in milliseconds since 1970.
        seqs: Sequence number for each of ``times``.
        ran: For each of ``times``, 1 if it is when a run was.
        keys: The newest and the oldest record of each use of a key without a break.
        claims: What entries say of the log.
        repeats: Runs without findings of their own.
        promises: Sequence number of each run with findings, and the interval that it promises.
        policies: Fleet commits that entries with a file are under, each use without a break once.
        marks: Records of the rarer kinds.
    """

    entries: int = 0
    holes: int = 0
    torn: tuple[bool, bool] = (False, False)
    newest: Record | None = None
    oldest: Record | None = None
    counts: Counter[Kind] = field(default_factory=Counter)
    runs: int = 0
    faults: list[Fault] = field(default_factory=list)
    digests: list[bytes] = field(default_factory=list)
    times: "array[int]" = field(default_factory=lambda: array("q"))
    seqs: "array[int]" = field(default_factory=lambda: array("q"))
    ran: bytearray = field(default_factory=bytearray)
    keys: list[tuple[Record, Record]] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    repeats: list[Repeat] = field(default_factory=list)
    promises: list[tuple[int, int | None]] = field(default_factory=list)
    policies: list[str | None] = field(default_factory=list)
    marks: list[Record] = field(default_factory=list)

    def add(self, step: Step) -> None:
        """Take in the next older commit."""
        self.faults += step.faults
        record = step.record
        first = not self.entries and not self.holes
        self.torn = (record is None if first else self.torn[0], record is None)
        if record is None:
            self.holes += 1
            return
        entry = record.entry
        self.entries += 1
        self.newest = self.newest or record
        self.oldest = record
        self.counts[entry.kind] += 1
        self.digests.append(bytes.fromhex(record.digest))
        if entry.log is not None:
            self.claims.append(Claim(record.place, entry.log))
        self._use_of_key(record)
        self._use_of_policy(record)
        self._moments(record)
        if entry.kind in _MARKS:
            self.marks.append(record)

    def _use_of_key(self, record: Record) -> None:
        if self.keys and self.keys[-1][1].public == record.public:
            self.keys[-1] = (self.keys[-1][0], record)
        else:
            self.keys.append((record, record))

    def _use_of_policy(self, record: Record) -> None:
        if record.entry.slim:
            return
        subject = record.entry.subject
        commit = None if subject is None else subject.commit
        if not self.policies or self.policies[-1] != commit:
            self.policies.append(commit)

    def _moments(self, record: Record) -> None:
        entry = record.entry
        found = moments(entry)
        if entry.kind is Kind.RUN:
            if entry.slim:
                found = self._repeat(record, found)
            else:
                self.promises.append((entry.seq, promise_of(record)))
            self.runs += len(found or (0,))
        found = found or [milliseconds(entry.time)]
        self.times.extend(reversed(found))
        self.seqs.extend([entry.seq] * len(found))
        self.ran.extend([entry.kind is Kind.RUN] * len(found))

    def _repeat(self, record: Record, found: list[int] | None) -> list[int] | None:
        """Take in a slim run; its moments again, None if it does not say what it must."""
        seq, like = record.entry.seq, record.entry.body.get("like")
        if type(like) is not int or found is None:
            message = "is a run that does not say what it repeats, or when it ran"
            self.faults.append(Fault(Code.BODY, record.place, message))
            return None
        newer = self.repeats[-1] if self.repeats else None
        if newer is not None and (newer.like, newer.first) == (like, seq + 1):
            self.repeats[-1] = Repeat(record.place, seq, newer.last, like)
        else:
            self.repeats.append(Repeat(record.place, seq, seq, like))
        return found


def gather(steps: Iterable[Step]) -> Stretch:
    """One stretch from neighbouring steps, newest first; gives up after `MAX_FAULTS`."""
    stretch = Stretch()
    for step in steps:
        stretch.add(step)
        if len(stretch.faults) >= MAX_FAULTS:
            message = f"gave up after {len(stretch.faults)} faults"
            stretch.faults.append(Fault(Code.TOO_MANY, Place(commit=step.commit), message))
            stretch.holes += 1
            break
    return stretch


def promise_of(record: Record) -> int | None:
    """The interval that a run promises until the next one, seconds; None if it promises none."""
    promise = record.entry.body.get("promise_s")
    return promise if type(promise) is int and promise > 0 else None
