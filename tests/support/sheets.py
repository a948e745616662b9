"""Sheets for tests: what records of `tests.support.entries` show about one control."""

from collections.abc import Sequence

from reconciler.evidence.record import Record
from reconciler.evidence.whole import Gap
from reconciler.report.control_sheet import Looker, Sheet, View, in_period, sheet
from reconciler.report.period import Period, newest, oldest
from reconciler.report.survey import survey

AUDIT = "hipaa:164.312(b)"
MARCH = Period("2026-03-01 to 2026-03-31", oldest("2026-03-01"), newest("2026-03-31"))


def view_of(*oldest_first: Record, gaps: Sequence[Gap] = (), period: Period = MARCH) -> View:
    """One host over a period, as a kit sees it."""
    looker = Looker()
    found = survey(looker.watch(reversed(oldest_first)), "smile", "desk", period)
    return View(found, looker.since, in_period(gaps, period))


def sheet_of(*oldest_first: Record, gaps: Sequence[Gap] = (), control: str = AUDIT) -> Sheet:
    """What one host shows about a control in March."""
    return sheet(control, MARCH, [view_of(*oldest_first, gaps=gaps)])


def gap(seq: int, begin: str, end: str, *, declared: bool = True) -> Gap:
    """A time without a run, from one moment to another."""
    return Gap(seq, _ms(begin), _ms(end), 300, declared)


def _ms(text: str) -> int:
    from datetime import datetime

    return int(datetime.fromisoformat(text).timestamp() * 1000)
