"""What the entries of a period say, gathered in one pass over history, newest first."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from reconciler.evidence.record import Record
from reconciler.report import words
from reconciler.report.citation import Citation, cite, repeats
from reconciler.report.mentions import mentions
from reconciler.report.period import Period
from reconciler.report.spans import Folding, Span, run_count

QUIET = frozenset({"run", "heartbeat", "checkpoint", "cosignature", "anchor", "copy"})
"""Kinds that come all the time; they are counted and not listed one by one."""


@dataclass(frozen=True, slots=True)
class Event:
    """An entry that is listed by itself.

    Attributes:
        where: The entry.
        title: What it is, in a few words.
        detail: What it says.
    """

    where: Citation
    title: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What happened on one host in a period.

    Attributes:
        client: One clinic.
        host: The appliance.
        period: The period.
        counts: Entries by kind.
        runs: Runs, those that a slim entry stands for included.
        slim_runs: How many of the runs repeat an earlier one.
        spans: For how long each rule kept each status, oldest first.
        events: Entries that are listed by themselves, oldest first.
        desired: Desired states that were in force (commit, policy digest), oldest first.
        first: The oldest entry of the period, None if there is none.
        last: The newest entry of the period.
        last_run: Number of the newest run of the period.
        tip: The newest entry of the branch: from there down everything was proven.
    """

    client: str
    host: str
    period: Period
    counts: Mapping[str, int]
    runs: int
    slim_runs: int
    spans: tuple[Span, ...]
    events: tuple[Event, ...]
    desired: tuple[tuple[str, str], ...]
    first: Citation | None
    last: Citation | None
    last_run: int | None
    tip: Citation | None

    @property
    def standing(self) -> tuple[Span, ...]:
        """What the newest run of the period shows."""
        return tuple(span for span in self.spans if span.last.seq == self.last_run)


@dataclass(slots=True)
class _Tally:
    counts: Counter[str] = field(default_factory=Counter)
    runs: int = 0
    slim: int = 0
    spans: list[Span] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    desired: list[tuple[str, str]] = field(default_factory=list)
    first: Citation | None = None
    last: Citation | None = None
    last_run: int | None = None
    tip: Citation | None = None
    folding: Folding = field(default_factory=Folding)

    def add(self, record: Record) -> None:
        here = self.first = cite(record)
        self.last = self.last or here
        self.counts[here.kind] += 1
        if here.kind == "run":
            self._run(record)
        if here.kind not in QUIET:
            self.events += _events(record)
        self.in_force(record)

    def in_force(self, record: Record) -> None:
        subject = record.entry.subject
        state = None if subject is None else (subject.commit, subject.policy)
        if state is not None and state not in self.desired[-1:]:
            self.desired.append(state)

    def _run(self, record: Record) -> None:
        count = run_count(record)
        self.runs += count
        self.slim += count if repeats(record) is not None else 0
        if self.last_run is None:
            self.last_run = record.entry.seq
        self.spans += self.folding.add(record)


def survey(records: Iterable[Record], client: str, host: str, period: Period) -> Survey:
    """Gather a period.

    Args:
        records: Proven entries of one branch, newest first.
        client: One clinic.
        host: The appliance.
        period: What to gather.

    Raises:
        EvidenceError: An entry does not say what its kind says.
        LedgerDamaged: An entry does not verify.
    """
    tally = _Tally()
    for record in records:
        tally.tip = tally.tip or cite(record)
        if record.entry.recorded_at > period.end:
            continue
        if record.entry.recorded_at >= period.start:
            tally.add(record)
        elif tally.folding.waiting is None:
            break
        elif record.entry.seq == tally.folding.waiting.like:
            # The period begins with runs that repeat an older one: what they saw stands there.
            tally.folding.base(record)
            tally.in_force(record)
            break
    spans = [*tally.spans, *tally.folding.end()]
    return Survey(
        client=client,
        host=host,
        period=period,
        counts=dict(tally.counts),
        runs=tally.runs,
        slim_runs=tally.slim,
        spans=tuple(sorted(spans, key=lambda span: (span.first.seq, span.key))),
        events=tuple(reversed(tally.events)),
        desired=tuple(reversed(tally.desired)),
        first=tally.first,
        last=tally.last,
        last_run=tally.last_run,
        tip=tally.tip,
    )


def _events(record: Record) -> list[Event]:
    here = cite(record)
    details = [f"{m.rule or m.status}: {m.detail}" for m in mentions(record)]
    if not details:
        known = [f"{k}: {words.value(v)}" for k, v in record.entry.body.items() if _short(v)]
        details = known
    return [Event(here, here.kind, words.clip("; ".join(details)) or "no details")]


def _short(value: object) -> bool:
    return isinstance(value, str | int) and len(str(value)) <= 100
