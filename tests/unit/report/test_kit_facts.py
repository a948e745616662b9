"""What a kit says of itself: the grave things first, and nothing left out."""

from dataclasses import replace

from reconciler.evidence.claims import Claim, State
from reconciler.evidence.fault import Code, Fault, Place
from reconciler.report.gap_text import moment
from reconciler.report.kit_facts import Facts, own
from tests.support.entries import finding, run
from tests.support.sheets import MARCH, gap, view_of

REF = "refs/heads/smile/desk"
GOOD = finding("r", "pass")
CLEAN = Facts(
    version="1.2.3",
    period=MARCH,
    views=[view_of(run(0, GOOD), run(1, GOOD))],
    newest={"smile/desk": 1},
    unproven=(),
    faults=(),
    source_faults=(),
    late=(),
    apart=(),
    others=0,
    roots=False,
    pages=False,
)
FAULT = Fault(Code.CHAIN, Place(seq=7), "names another predecessor")


def said(**changes: object) -> list[str]:
    return own(replace(CLEAN, **changes))  # type: ignore[arg-type]


def test_a_clean_kit_says_what_it_always_says() -> None:
    lines = said()
    assert lines[0] == "smile/desk: entries 0 to 1 lie in the period."
    assert any(line.startswith("Entries after 2026-03-31T23:59:59.999Z") for line in lines)
    assert any("SHA-1" in line for line in lines)
    assert any("patients" in line for line in lines)
    assert lines[-1].startswith("Made by reconciler 1.2.3.")
    assert not any("controls/" in line or "roots" in line for line in lines)


def test_faults_come_first_and_name_where_they_are() -> None:
    lines = said(faults=(FAULT,), source_faults=(FAULT, FAULT))
    assert lines[0].startswith("What is in this kit does NOT verify, 1 fault: chain at seq 7")
    assert lines[1].startswith("The repository that this kit was taken from does NOT verify, 2")


def test_what_is_not_proven_is_said() -> None:
    claim = Claim("witness", State.NOT_PROVEN, "no witness vouches for this log", REF)
    assert said(unproven=(claim,))[0] == "Not proven (witness): no witness vouches for this log."


def test_older_entries_are_explained() -> None:
    early = run(0, GOOD, at="2026-02-01T12:00:00.000Z")
    lines = said(views=[view_of(early, run(1, GOOD))])
    assert "smile/desk: entries 1 to 1 lie in the period." in lines
    assert any("entries 0 to 0 are older" in line and "chained" in line for line in lines)
    only = said(views=[view_of(early)], newest={"smile/desk": 0})
    assert only[0] == "smile/desk: no entry lies in the period; entries 0 to 0 are all older."


def test_times_without_a_run_are_listed_with_their_length() -> None:
    one = gap(9, "2026-03-02T00:00:00Z", "2026-03-02T03:05:00Z")
    lines = said(views=[view_of(run(0, GOOD), gaps=[one])])
    assert any("(before entry 9): no run for 3 h 5 min" in line for line in lines)
    many = said(views=[view_of(run(0, GOOD), gaps=[one] * 103)])
    assert any("3 more times without a run" in line for line in many)


def test_what_stays_out_is_named() -> None:
    lines = said(late=("smile/new",), apart=("witness/hub",), others=3, roots=True, pages=True)
    assert any("left out: smile/new" in line for line in lines)
    assert any(line.startswith("The ledgers of witness/hub") for line in lines)
    assert any("3 of its names have no branch" in line for line in lines)
    assert any("The keys and the roots in" in line for line in lines)
    assert any("controls/ are copies for reading" in line for line in lines)


def test_a_moment_is_written_as_entries_write_it() -> None:
    assert moment(1) == "1970-01-01T00:00:00.001Z"
    assert moment(1772366400123) == "2026-03-01T12:00:00.123Z"
