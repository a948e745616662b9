import pytest

from reconciler.errors import InputError
from reconciler.report.period import newest, oldest, parse


@pytest.mark.parametrize(
    ("name", "start", "end"),
    [
        ("2026-03-01", "2026-03-01T00:00:00.000Z", "2026-03-01T23:59:59.999Z"),
        ("2026-03", "2026-03-01T00:00:00.000Z", "2026-03-31T23:59:59.999Z"),
        ("2028-02", "2028-02-01T00:00:00.000Z", "2028-02-29T23:59:59.999Z"),
        ("2026-12", "2026-12-01T00:00:00.000Z", "2026-12-31T23:59:59.999Z"),
        ("2026-12-31", "2026-12-31T00:00:00.000Z", "2026-12-31T23:59:59.999Z"),
    ],
)
def test_a_day_and_a_month(name: str, start: str, end: str) -> None:
    period = parse(name)
    assert (period.start, period.end) == (start, end)
    assert period.holds(start)
    assert period.holds(end)
    assert not period.holds("2025-01-01T00:00:00.000Z")
    assert (oldest(name), newest(name)) == (start, end)


def test_a_moment_in_any_zone() -> None:
    assert oldest("2026-03-01T12:00:00Z") == "2026-03-01T12:00:00.000Z"
    assert newest("2026-03-01T12:00:00.5+02:00") == "2026-03-01T10:00:00.500Z"


@pytest.mark.parametrize(
    "name", ["", "2026", "2026-13", "2026-02-30", "2026-3-1", "today", "0000-00", "9999-12"]
)
def test_everything_else_is_refused(name: str) -> None:
    with pytest.raises(InputError):
        parse(name)


@pytest.mark.parametrize(
    "text", ["2026-03-01T12:00:00", "2026-03-01T25:00:00Z", "T", "0001-01-01T00:00:00+14:00"]
)
def test_a_time_without_a_zone_or_outside_the_calendar_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        oldest(text)
