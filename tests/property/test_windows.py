"""Windows and freezes against a clock that is asked minute by minute."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.engine.windows import DAYS, calendar, next_open, window_open
from reconciler.model.client import Client, Contact, Freeze, Window

MINUTE = timedelta(minutes=1)
ZONES = (
    "America/New_York",
    "Europe/Berlin",
    "Africa/Cairo",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "UTC",
)
# Beside changes of the clocks in these zones, and a leap day.
DATES = ("2026-03-07", "2026-03-28", "2026-04-04", "2026-04-23", "2026-10-31", "2028-02-28")

times = st.builds(lambda h, m: f"{h:02}:{m:02}", st.integers(0, 23), st.sampled_from([0, 15, 59]))
windows = st.builds(
    lambda days, start, end: Window(days=tuple(sorted(days)), start=start, end=end),
    st.sets(st.sampled_from(DAYS), min_size=1, max_size=3),
    times,
    times,
).filter(lambda window: window.start != window.end)
moments = st.builds(
    lambda day, minutes: datetime.fromisoformat(f"{day}T00:00:00+00:00") + MINUTE * minutes,
    st.sampled_from(DATES),
    st.integers(0, 2 * 24 * 60),
)


def clinic(zone: str, opened: list[Window], freeze: tuple[Freeze, ...] = ()) -> Client:
    return Client(
        id="c",
        name="C",
        tier="t",
        time_zone=zone,
        frameworks=("law",),
        mode="enforce",
        windows=tuple(opened),
        freeze=freeze,
        contacts=(Contact(role="r", name="n", reach="x@example.org"),),
    )


@settings(max_examples=40)
@given(st.sampled_from(ZONES), st.lists(windows, min_size=1, max_size=2), moments)
def test_the_next_opening_is_the_first_open_minute(
    zone: str, opened: list[Window], now: datetime
) -> None:
    client = clinic(zone, opened)
    found = next_open(client, now)
    assert found is not None
    assert found >= now and found.tzinfo is UTC
    assert window_open(client, found)
    if found > now:
        assert not window_open(client, found - timedelta(microseconds=1))
    minutes = min((found - now) // MINUTE, 24 * 60)
    assert not any(window_open(client, now + MINUTE * number) for number in range(minutes))


@settings(max_examples=100)
@given(st.sampled_from(ZONES), moments, st.integers(-2, 2), st.integers(0, 3))
def test_a_freeze_covers_whole_days_of_the_client_and_ends(
    zone: str, now: datetime, before: int, length: int
) -> None:
    first = now.astimezone(ZoneInfo(zone)).date() + timedelta(days=before)
    last = first + timedelta(days=length)
    client = clinic(zone, [], (Freeze(first=first, last=last, reason="x"),))
    found = calendar(client, now)
    assert (found.thaws_at is not None) == (first <= found.day <= last)
    if found.thaws_at is not None:
        assert found.thaws_at > now
        assert calendar(client, found.thaws_at).thaws_at is None
        assert calendar(client, found.thaws_at - timedelta(microseconds=1)).day == last


def test_weekdays_are_named_as_the_calendar_has_them() -> None:
    assert [DAYS[date(2026, 11, 23 + n).weekday()] for n in range(7)] == list(DAYS)
