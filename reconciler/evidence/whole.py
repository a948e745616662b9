"""What is true of a history as a whole: its log, its keys, its gaps, what its runs repeat.

Works forwards, oldest entry first, over what `reconciler.evidence.stretch` kept; a start that was
proven earlier can stand for the oldest part.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from copy import deepcopy
from dataclasses import dataclass, field

from reconciler.evidence.between_runs import BetweenRuns
from reconciler.evidence.entry import FIRST_SEQ, Kind
from reconciler.evidence.fault import Code, Fault, Place
from reconciler.evidence.key_life import KeyLife
from reconciler.evidence.merkle import Frontier, leaf_hash
from reconciler.evidence.record import Branch, Record
from reconciler.evidence.stretch import Claim, Stretch

TOLERANCE_S = 60
"""A run may be this much later than two promised intervals before it counts as a gap."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A time without a run that was longer than promised.

    Attributes:
        seq: The entry that ended it.
        begin: When the last run or entry before it was, milliseconds since 1970.
        end: When the next one was.
        promise_s: The interval that was promised, seconds.
        declared: Whether the appliance said so itself, by a ``gap`` entry.
    """

    seq: int
    begin: int
    end: int
    promise_s: int
    declared: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What was proven of the oldest entries; nothing, unless an earlier audit is continued.

    Attributes:
        log: Their log.
        life: Their keys; None if there are no such entries.
        run: Sequence number of the newest run with findings.
        promise: The promised interval in force, seconds.
        moment: When the newest run or entry was, milliseconds since 1970.
        between: Times without a run.
        roots: Root of the log at sizes that were asked for.
    """

    log: Frontier = field(default_factory=Frontier.empty)
    life: KeyLife | None = None
    run: int | None = None
    promise: int | None = None
    moment: int | None = None
    between: BetweenRuns = field(default_factory=BetweenRuns)
    entries: int = 0
    runs: int = 0
    promised: int = 0
    counts: Mapping[Kind, int] = field(default_factory=dict)
    oldest: Record | None = None
    newest: Record | None = None
    roots: Mapping[int, bytes] = field(default_factory=dict)
    gaps: tuple[Gap, ...] = ()
    marks: tuple[Record, ...] = ()
    policies: tuple[str, ...] = ()


class Whole:
    """A history, followed from its start.

    Attributes:
        faults: What is wrong with it as a whole.
        log: The log of all entries, None if it has holes.
        roots: Root of the log at each size that was asked for.
        keys: Public keys that signed, oldest use first.
        gaps: Times without a run that were longer than promised.
        promised: How many runs and entries were under a promise.
        marks: Records of the rarer kinds, oldest first.
        run: Sequence number of the newest run with findings.
        promise: The promised interval in force at the end, seconds.
        moment: When the newest run or entry was, milliseconds since 1970.
        between: Times without a run.
        life: The keys, None if genesis is not proven.
    """

    def __init__(
        self, branch: Branch, start: Start, stretches: Sequence[Stretch], sizes: Set[int]
    ) -> None:
        """Follow a history.

        Args:
            branch: Whose, and who may sign.
            start: What was proven earlier.
            stretches: Its entries after that, newest stretch first.
            sizes: Sizes of the log whose roots are wanted.
        """
        self._branch = branch
        self._start = start
        self._stretches = [stretch for stretch in reversed(stretches) if stretch.entries]
        self.faults: list[Fault] = []
        self.marks = (*start.marks, *(m for s in self._stretches for m in reversed(s.marks)))
        self.promised = start.promised
        self._runs: list[int] = [] if start.run is None else [start.run]
        whole = not any(stretch.holes for stretch in stretches)
        self.log: Frontier | None = None
        self.roots: dict[int, bytes] = {}
        if whole:
            self.log, self.roots = self._follow_log(sizes)
        self.life = self._follow_keys() if whole else start.life
        self.gaps = (*start.gaps, *self._follow_time())
        self.between = start.between.followed(self._moments())
        self._follow_repeats()

    @property
    def keys(self) -> tuple[bytes, ...]:
        """Public keys that signed, oldest use first."""
        used = (
            []
            if self._start.life is None
            else [use.public for use in self._start.life.uses if use.first]
        )
        used += [oldest.public for s in self._stretches for _, oldest in reversed(s.keys)]
        return tuple(dict.fromkeys(used))

    def end(self) -> Start | None:
        """From where a later audit can go on; None if there are holes or nothing is proven."""
        ends = [stretch.newest for stretch in self._stretches]
        if self.log is None or self.life is None:
            return None
        counts = sum((s.counts for s in self._stretches), Counter(self._start.counts))
        return Start(
            log=self.log,
            life=self.life,
            run=self.run,
            promise=self.promise,
            moment=self.moment,
            between=self.between,
            entries=self._start.entries + sum(s.entries for s in self._stretches),
            runs=self._start.runs + sum(s.runs for s in self._stretches),
            promised=self.promised,
            counts=dict(counts),
            oldest=self._start.oldest or self._stretches[0].oldest,
            newest=ends[-1] if ends else self._start.newest,
            roots=self.roots,
            gaps=self.gaps,
            marks=self.marks,
            policies=self.policies,
        )

    @property
    def policies(self) -> tuple[str, ...]:
        """Fleet commits that entries were under, oldest use first."""
        used = [commit for s in self._stretches for commit in reversed(s.policies) if commit]
        return tuple(dict.fromkeys((*self._start.policies, *used)))

    def _follow_log(self, sizes: Set[int]) -> tuple[Frontier, dict[int, bytes]]:
        log, roots = self._start.log, dict(self._start.roots)
        claims = {c.log.size: c for s in self._stretches for c in s.claims}
        stops = sorted({*claims, *(size for size in sizes if size >= log.size)})
        leaves = self._leaves()
        for stop in stops:
            log = log.extend(_take(leaves, stop - log.size))
            if stop in sizes and log.size == stop:
                roots[stop] = log.root()
            self._check_claim(claims.get(stop), log)
        return log.extend(leaves), roots

    def _leaves(self) -> Iterator[bytes]:
        for stretch in self._stretches:
            yield from map(leaf_hash, reversed(stretch.digests))

    def _check_claim(self, claim: Claim | None, log: Frontier) -> None:
        if claim is not None and claim.log != log:
            message = f"says that the log before it has root {claim.log.root().hex()}"
            self.faults.append(Fault(Code.LOG, claim.place, f"{message}, not {log.root().hex()}"))

    def _follow_keys(self) -> KeyLife | None:
        life = deepcopy(self._start.life)
        for record in self._key_events():
            if life is not None:
                self.faults += life.follow(record)
            elif record.entry.seq == FIRST_SEQ:
                life = KeyLife(self._branch.signers)
                self.faults += life.start(record)
            else:
                return None
        return life

    def _key_events(self) -> list[Record]:
        """First entry of each use of a key, and every announcement of another one, in order."""
        events = {m.entry.seq: m for m in self.marks if m.entry.kind is Kind.KEY_CHANGE}
        before = self._start.newest
        for stretch in self._stretches:
            for _, oldest in reversed(stretch.keys):
                if before is None or before.public != oldest.public:
                    events[oldest.entry.seq] = oldest
                before = oldest
        first = self._start.entries
        return [events[seq] for seq in sorted(events) if seq >= first]

    def _follow_time(self) -> list[Gap]:
        promises = {seq: promise for s in self._stretches for seq, promise in s.promises}
        # A new key speaks first: what it takes over, and what a rotation waited for, is declared.
        declaring = {Kind.GAP, Kind.KEY_CHANGE}
        declared = {m.entry.seq for m in self.marks if m.entry.kind in declaring}
        promise, before = self._start.promise, self._start.moment
        gaps: list[Gap] = []
        for stretch in self._stretches:
            for at, seq in zip(reversed(stretch.times), reversed(stretch.seqs), strict=True):
                if promise is not None and before is not None:
                    self.promised += 1
                    if at - before > (2 * promise + TOLERANCE_S) * 1000:
                        gaps.append(Gap(seq, before, at, promise, seq in declared))
                promise, before = promises.get(seq, promise), at
        self.promise, self.moment = promise, before
        self.faults += [_undeclared(gap) for gap in gaps if not gap.declared]
        return gaps

    def _moments(self) -> Iterator[tuple[int, bool]]:
        for stretch in self._stretches:
            for at, ran in zip(reversed(stretch.times), reversed(stretch.ran), strict=True):
                yield at, bool(ran)

    def _follow_repeats(self) -> None:
        full = sorted([*self._runs, *(seq for s in self._stretches for seq, _ in s.promises)])
        self.run, known = full[-1] if full else None, frozenset(full)
        position = 0
        for stretch in self._stretches:
            for repeat in reversed(stretch.repeats):
                while position < len(full) and full[position] < repeat.first:
                    position += 1
                newest = full[position - 1] if position else None
                if self.log is None and repeat.like not in known:
                    # It may be a commit that proves nothing, which is a fault of its own.
                    continue
                if newest != repeat.like or _any_between(full, position, repeat.last):
                    message = f"repeats run {repeat.like}, which is not the newest with findings"
                    self.faults.append(Fault(Code.REPEATED, repeat.place, message))


def _take(leaves: Iterator[bytes], count: int) -> Iterator[bytes]:
    for _ in range(count):
        leaf = next(leaves, None)
        if leaf is None:
            return
        yield leaf


def _any_between(full: list[int], position: int, last: int) -> bool:
    return position < len(full) and full[position] < last


def _undeclared(gap: Gap) -> Fault:
    seconds = (gap.end - gap.begin) // 1000
    message = f"{seconds} s without a run and no gap entry says so; promised: {gap.promise_s} s"
    return Fault(Code.GAP, Place(seq=gap.seq), message)
