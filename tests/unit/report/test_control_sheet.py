"""What a sheet holds: what names the control, since when, and a statement where nothing does."""

from typing import Any

from reconciler.evidence.record import Record
from reconciler.report.control_sheet import sheet
from tests.support.entries import again, finding, record, run, run_body
from tests.support.sheets import AUDIT, MARCH, gap, sheet_of, view_of

GOOD, BAD = finding("r", "pass"), finding("r", "fail")
OTHER = finding("o", "fail", controls=["hipaa:164.310(c)"])
FEBRUARY = "2026-02-20T12:00:00.000Z"


def since_run(seq: int, since: Any, *findings: dict[str, Any], at: str) -> Record:
    return record(seq, "run", run_body(*findings, since=since), at=at)


def test_only_what_names_the_control_is_in_it() -> None:
    (part,) = sheet_of(run(1, GOOD, OTHER), again(2, 1), run(3, BAD, OTHER)).parts
    assert [(row.span.rule, row.span.status, row.span.runs) for row in part.rows] == [
        ("r", "pass", 2), ("r", "fail", 1),
    ]  # fmt: skip
    assert part.state.counts == {"fail": 1}


def test_nothing_is_said_to_be_nothing() -> None:
    found = sheet_of(run(1, OTHER))
    assert found.empty
    assert found.parts[0].rows == ()
    assert not found.parts[0].state.satisfied
    assert sheet_of().empty


def test_a_status_may_have_begun_before_the_period() -> None:
    since = {"r": {"status": "pass", "seq": 2, "at": FEBRUARY}}
    early = since_run(3, since, GOOD, at="2026-02-28T12:00:00.000Z")
    first = since_run(4, since, GOOD, at="2026-03-01T12:00:00.000Z")
    (row,) = sheet_of(early, first).parts[0].rows
    assert (row.since, row.since_seq, row.span.first.seq) == (FEBRUARY, 2, 4)


def test_a_period_that_begins_with_repeats_looks_at_the_run_they_repeat() -> None:
    since = {"r": {"status": "pass", "seq": 2, "at": FEBRUARY}}
    base = since_run(3, since, GOOD, at="2026-02-28T12:00:00.000Z")
    (row,) = sheet_of(base, again(4, 3)).parts[0].rows
    assert (row.since_seq, row.span.first.seq, row.span.runs) == (2, 4, 1)


def test_a_status_that_began_in_the_period_began_there() -> None:
    since = {"r": {"status": "pass", "seq": 2, "at": FEBRUARY}}
    first = since_run(4, since, GOOD, at="2026-03-01T12:00:00.000Z")
    later = since_run(5, since, BAD, at="2026-03-02T12:00:00.000Z")
    rows = sheet_of(first, later).parts[0].rows
    assert [(row.span.status, row.since_seq) for row in rows] == [("pass", 2), ("fail", 5)]


def test_a_run_that_says_nothing_readable_of_the_past_is_taken_as_the_beginning() -> None:
    for since in (None, [], {"r": "pass"}, {"r": {"status": "pass", "seq": "2", "at": FEBRUARY}},
                  {"r": {"status": "fail", "seq": 2, "at": FEBRUARY}},
                  {"r": {"status": "pass", "seq": 9, "at": FEBRUARY}}):  # fmt: skip
        first = since_run(4, since, GOOD, at="2026-03-01T12:00:00.000Z")
        (row,) = sheet_of(first).parts[0].rows
        assert (row.since_seq, row.since) == (4, "2026-03-01T12:00:00.000Z")


def test_times_without_a_run_that_touch_the_period_are_in_it() -> None:
    gaps = [
        gap(2, "2026-02-01T00:00:00Z", "2026-02-02T00:00:00Z"),
        gap(3, "2026-02-27T00:00:00Z", "2026-03-02T00:00:00Z"),
        gap(5, "2026-03-31T00:00:00Z", "2026-04-02T00:00:00Z"),
        gap(7, "2026-04-03T00:00:00Z", "2026-04-04T00:00:00Z"),
    ]
    assert [one.seq for one in sheet_of(run(1, GOOD), gaps=gaps).parts[0].view.gaps] == [3, 5]


def test_each_host_has_its_own_part() -> None:
    views = [view_of(run(1, GOOD)), view_of(run(1, OTHER))]
    found = sheet(AUDIT, MARCH, views)
    assert [bool(part.rows) for part in found.parts] == [True, False]
    assert not found.empty
