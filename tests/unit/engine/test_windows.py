from datetime import UTC, date, datetime

import pytest

from reconciler.engine.windows import calendar, next_open, window_open
from reconciler.model.client import Client, Contact, Freeze, Window


def clinic(
    *windows: Window, zone: str = "America/New_York", freeze: tuple[Freeze, ...] = ()
) -> Client:
    return Client(
        id="c",
        name="C",
        tier="t",
        time_zone=zone,
        frameworks=("hipaa",),
        mode="enforce",
        windows=windows,
        freeze=freeze,
        contacts=(Contact(role="r", name="n", reach="x@example.org"),),
    )


NIGHT = Window(days=("sat",), start="22:00", end="04:00")
DAY = Window(days=("mon", "tue"), start="12:00", end="13:00")


@pytest.mark.parametrize(
    ("at", "is_open"),
    [
        ("2026-11-21T21:59", False),  # Saturday in New York is UTC-5
        ("2026-11-21T22:00", True),
        ("2026-11-22T03:59", True),  # Sunday morning belongs to Saturday's window
        ("2026-11-22T04:00", False),
        ("2026-11-22T22:30", False),
        ("2026-11-23T12:00", True),
        ("2026-11-23T13:00", False),
        ("2026-11-25T12:30", False),
    ],
)
def test_windows_follow_local_days_and_cross_midnight(at: str, is_open: bool) -> None:
    local = datetime.fromisoformat(f"{at}:00-05:00")

    assert window_open(clinic(NIGHT, DAY), local.astimezone(UTC)) is is_open


def test_a_client_without_windows_has_none_open() -> None:
    assert window_open(clinic(), datetime(2026, 1, 1, tzinfo=UTC)) is False


def test_the_hour_that_daylight_saving_skips_is_never_open() -> None:
    # New York skips 02:00-03:00 on 2026-03-08: 06:59Z is 01:59 and 07:00Z is 03:00.
    skipped = clinic(Window(days=("sun",), start="02:00", end="03:00"))

    seen = {
        window_open(skipped, datetime(2026, 3, 8, 6, minute, tzinfo=UTC)) for minute in range(60)
    } | {window_open(skipped, datetime(2026, 3, 8, 7, minute, tzinfo=UTC)) for minute in range(60)}

    assert seen == {False}


def test_the_hour_that_daylight_saving_repeats_is_open_twice() -> None:
    repeated = clinic(Window(days=("sun",), start="01:00", end="02:00"))

    assert window_open(repeated, datetime(2026, 11, 1, 5, 30, tzinfo=UTC))
    assert window_open(repeated, datetime(2026, 11, 1, 6, 30, tzinfo=UTC))


def opening(client: Client, at: str) -> str | None:
    found = next_open(client, datetime.fromisoformat(f"{at}:00+00:00"))
    return None if found is None else f"{found:%Y-%m-%dT%H:%M:%S%z}"


SUNDAY = Window(days=("sun",), start="02:00", end="03:00")
EARLY = Window(days=("sun",), start="02:30", end="04:00")
REPEATED = Window(days=("sun",), start="01:30", end="01:45")
LEAP = Window(days=("tue",), start="12:00", end="13:00")


@pytest.mark.parametrize(
    ("window", "at", "opens"),
    [
        (NIGHT, "2026-11-21T12:00", "2026-11-22T03:00:00+0000"),
        (NIGHT, "2026-11-22T05:00", "2026-11-22T05:00:00+0000"),  # open: the moment itself
        (NIGHT, "2026-11-22T09:00", "2026-11-29T03:00:00+0000"),
        (SUNDAY, "2026-03-07T12:00", "2026-03-15T06:00:00+0000"),  # skipped: a week later
        (EARLY, "2026-03-07T12:00", "2026-03-08T07:00:00+0000"),  # its first half is skipped
        (REPEATED, "2026-11-01T05:00", "2026-11-01T05:30:00+0000"),
        (REPEATED, "2026-11-01T05:45", "2026-11-01T06:30:00+0000"),  # the second time round
        (REPEATED, "2026-11-01T06:45", "2026-11-08T06:30:00+0000"),
        (LEAP, "2028-02-28T00:00", "2028-02-29T17:00:00+0000"),
    ],
)
def test_the_next_opening_is_found_where_clocks_change(window: Window, at: str, opens: str) -> None:
    assert opening(clinic(window), at) == opens


def test_without_windows_nothing_opens() -> None:
    assert opening(clinic(), "2026-01-01T00:00") is None


def frozen(first: str, last: str) -> Freeze:
    return Freeze(first=date.fromisoformat(first), last=date.fromisoformat(last), reason="x")


@pytest.mark.parametrize(
    ("zone", "at", "day", "thaws"),
    [
        ("America/New_York", "2026-12-25T04:59", "2026-12-24", "2026-12-27T05:00"),
        ("America/New_York", "2026-12-24T04:59", "2026-12-23", None),
        ("Pacific/Kiritimati", "2026-12-23T10:00", "2026-12-24", "2026-12-26T10:00"),
        ("Europe/Berlin", "2026-12-26T22:59", "2026-12-26", "2026-12-26T23:00"),
    ],
)
def test_a_freeze_ends_at_the_clients_midnight(
    zone: str, at: str, day: str, thaws: str | None
) -> None:
    days = (frozen("2026-12-24", "2026-12-25"), frozen("2026-12-25", "2026-12-26"))
    found = calendar(clinic(zone=zone, freeze=days), datetime.fromisoformat(f"{at}:00+00:00"))
    assert found.day.isoformat() == day
    assert found.thaws_at == (datetime.fromisoformat(f"{thaws}:00+00:00") if thaws else None)


def test_a_midnight_that_clocks_skip_thaws_when_the_day_begins() -> None:
    # Cairo goes from 23:59:59 on 2026-04-23 to 01:00 on 2026-04-24.
    days = (frozen("2026-04-20", "2026-04-23"),)
    found = calendar(clinic(zone="Africa/Cairo", freeze=days), datetime(2026, 4, 22, tzinfo=UTC))
    assert found.thaws_at == datetime(2026, 4, 23, 22, 0, tzinfo=UTC)


def test_a_freeze_without_an_end_never_thaws() -> None:
    found = calendar(
        clinic(freeze=(frozen("2026-01-01", "9999-12-31"),)), datetime(2026, 4, 22, tzinfo=UTC)
    )
    assert found.thaws_at is None
