"""Six calendar years at least, whatever day it is."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import EvidenceError, InputError
from reconciler.ledger.worm.retention import MOST_YEARS, YEARS, retain_until, years_after

MOMENTS = st.integers(0, 250_000_000_000_000_000).map(
    lambda us: datetime(1970, 1, 2, tzinfo=UTC) + timedelta(microseconds=us)
)


def plainly(moment: datetime, years: int) -> tuple[int, ...]:
    """The date that a person would count to, as numbers that compare."""
    return (moment.year + years, *moment.timetuple()[1:6], moment.microsecond)


@given(MOMENTS, st.integers(YEARS, MOST_YEARS))
def test_it_is_never_less_than_the_calendar_says(created: datetime, years: int) -> None:
    until = retain_until(created, years=years)

    assert (*until.timetuple()[:6], until.microsecond) >= plainly(created, years)
    assert until - years_after(created, years) >= timedelta(days=1)
    assert until - years_after(created, years) <= timedelta(days=2)
    assert (until.hour, until.minute, until.second, until.microsecond) == (0, 0, 0, 0)


@given(MOMENTS, MOMENTS)
def test_it_counts_from_whichever_is_later(created: datetime, in_effect: datetime) -> None:
    until = retain_until(created, last_in_effect=in_effect)

    assert until == retain_until(max(created, in_effect))


@pytest.mark.parametrize(
    ("created", "until"),
    [
        ("2028-02-29T12:00:00", "2034-03-03"),
        ("2027-02-28T23:59:59", "2033-03-02"),
        ("2026-03-01T00:00:00", "2032-03-03"),
        ("2026-12-31T23:59:59", "2033-01-02"),
    ],
)
def test_days_of_leap_years(created: str, until: str) -> None:
    moment = datetime.fromisoformat(created).replace(tzinfo=UTC)

    assert f"{retain_until(moment):%Y-%m-%d}" == until


def test_six_years_from_a_leap_day_to_a_leap_day_are_not_possible_but_eight_are() -> None:
    assert years_after(datetime(2024, 2, 29, 8, tzinfo=UTC)) == datetime(2030, 3, 1, 8, tzinfo=UTC)
    leap = years_after(datetime(2024, 2, 29, 8, tzinfo=UTC), 8)
    assert leap == datetime(2032, 2, 29, 8, tzinfo=UTC)


def test_a_day_elsewhere_is_counted_as_the_day_it_is_in_utc() -> None:
    elsewhere = datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=9)))

    assert f"{retain_until(elsewhere):%Y-%m-%d}" == "2032-01-02"


@pytest.mark.parametrize("years", [-6, 0, 2, 5, MOST_YEARS + 1])
def test_no_tier_shortens_it_and_no_slip_makes_it_endless(years: int) -> None:
    with pytest.raises(InputError, match=f"for {years} years") as refused:
        retain_until(datetime(2026, 1, 1, tzinfo=UTC), years=years)
    assert "164.316" in refused.value.hint


def test_a_time_without_a_zone_or_beyond_the_calendar_is_refused() -> None:
    with pytest.raises(EvidenceError, match="no zone"):
        retain_until(datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None))
    with pytest.raises(EvidenceError, match="nothing can be kept"):
        retain_until(datetime(9999, 1, 1, tzinfo=UTC))
