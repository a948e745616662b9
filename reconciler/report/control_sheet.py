"""What evidence shows about one control over a period: findings, times without a run, or nothing.

One sheet becomes a CSV and a page; both say the same. It holds what names the control and nothing
else, and where nothing does it says so, because an empty sheet could be read as a clean one.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.evidence.record import Record
from reconciler.evidence.whole import Gap
from reconciler.report.citation import repeats
from reconciler.report.control_state import ControlFacts, ControlState, state_of
from reconciler.report.gap_text import moment
from reconciler.report.period import Period
from reconciler.report.spans import Span
from reconciler.report.survey import Survey

NOTHING = "no evidence of this control in the period"


@dataclass(frozen=True, slots=True)
class Since:
    """Since when a rule has had its status, as a run says that looked further back.

    Attributes:
        status: The status.
        seq: The entry that first showed it without a break.
        at: When that was recorded.
    """

    status: str
    seq: int
    at: str


class Looker:
    """Remembers what the oldest run that was looked at says about the time before it."""

    def __init__(self) -> None:
        self.since: dict[str, Since] = {}

    def watch(self, records: Iterable[Record]) -> Iterator[Record]:
        """Pass records on, newest first, and remember."""
        for record in records:
            if record.entry.kind.value == "run" and repeats(record) is None:
                said = record.entry.body.get("since")
                self.since = _since(said) if isinstance(said, Mapping) else {}
            yield record


@dataclass(frozen=True, slots=True)
class View:
    """One host over the period.

    Attributes:
        survey: What happened.
        since: By rule, what began before the period.
        gaps: Times without a run in the period that were longer than promised.
    """

    survey: Survey
    since: Mapping[str, Since]
    gaps: tuple[Gap, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """A status that was kept for a while.

    Attributes:
        span: The status, in the period.
        since: When it began, which may be before the period.
        since_seq: The entry that first showed it.
    """

    span: Span
    since: str
    since_seq: int


@dataclass(frozen=True, slots=True)
class Part:
    """What one host shows about the control.

    Attributes:
        view: The host.
        rows: What names the control, oldest first.
        state: How the control stands there at the end of the period.
    """

    view: View
    rows: tuple[Row, ...]
    state: ControlState


@dataclass(frozen=True, slots=True)
class Sheet:
    """A control over a period.

    Attributes:
        control: Its id.
        period: The period.
        parts: One for each host.
    """

    control: str
    period: Period
    parts: tuple[Part, ...]

    @property
    def empty(self) -> bool:
        """Whether no host shows anything about it."""
        return not any(part.rows for part in self.parts)


def sheet(control: str, period: Period, views: Sequence[View]) -> Sheet:
    """Everything about one control.

    Args:
        control: Its id.
        period: The period.
        views: Every host that the kit is about.
    """
    return Sheet(control, period, tuple(_part(control, view) for view in views))


def in_period(gaps: Iterable[Gap], period: Period) -> tuple[Gap, ...]:
    """Times without a run that touch the period."""
    return tuple(
        gap for gap in gaps if moment(gap.end) >= period.start and moment(gap.begin) <= period.end
    )


def _part(control: str, view: View) -> Part:
    spans = view.survey.spans
    first = min((span.first.seq for span in spans), default=None)
    rows = tuple(_row(span, first, view.since) for span in spans if control in span.controls)
    facts = ControlFacts(control, control, "unknown")
    return Part(view, rows, state_of(facts, spans, view.survey.standing))


def _row(span: Span, first: int | None, since: Mapping[str, Since]) -> Row:
    before = since.get(span.rule)
    began_earlier = (
        span.about == "finding"
        and span.first.seq == first
        and before is not None
        and before.status == span.status
        and before.seq < span.first.seq
    )
    if before is None or not began_earlier:
        return Row(span, span.first.at, span.first.seq)
    return Row(span, before.at, before.seq)


def _since(said: Mapping[str, Any]) -> dict[str, Since]:
    found = {}
    for rule, one in said.items():
        if not isinstance(one, Mapping):
            continue
        status, seq, at = one.get("status"), one.get("seq"), one.get("at")
        if isinstance(status, str) and type(seq) is int and isinstance(at, str):
            found[rule] = Since(status, seq, at)
    return found
