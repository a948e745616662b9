from datetime import date, timedelta

import pytest

from reconciler.model.term import Term, year_after

LAST = date(2026, 12, 31)
TERM = Term(date(2026, 1, 1), LAST, timedelta(days=30))


@pytest.mark.parametrize(
    ("today", "phase", "counts"),
    [
        (date(2025, 12, 31), "early", False),
        (date(2026, 1, 1), "current", True),
        (date(2026, 11, 30), "current", True),
        (date(2026, 12, 1), "ending", True),
        (LAST, "ending", True),
        (date(2027, 1, 1), "over", False),
    ],
)
def test_the_first_and_the_last_day_count(today: date, phase: str, counts: bool) -> None:
    assert (TERM.phase(today), TERM.in_force(today)) == (phase, counts)


def test_a_term_shorter_than_its_notice_ends_soon_from_the_start() -> None:
    assert Term(LAST, LAST, timedelta(days=30)).phase(LAST) == "ending"


@pytest.mark.parametrize(
    ("today", "words"),
    [
        (date(2025, 12, 31), "is decided on 2026-01-01 only"),
        (date(2026, 11, 30), None),
        (date(2026, 12, 1), "ends on 2026-12-31, in 30 days"),
        (date(2026, 12, 30), "ends on 2026-12-31, in 1 day"),
        (LAST, "ends on 2026-12-31, today"),
        (date(2027, 1, 1), "expired on 2026-12-31"),
    ],
)
def test_what_a_person_must_know_is_said_on_the_day(today: date, words: str | None) -> None:
    assert TERM.words(today) == words


def test_a_leap_day_comes_back_on_the_first_of_march() -> None:
    assert year_after(date(2028, 2, 29)) == date(2029, 3, 1)
    assert year_after(date(2027, 2, 28)) == date(2028, 2, 28)
