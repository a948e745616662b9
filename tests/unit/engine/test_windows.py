from datetime import UTC, datetime

import pytest

from reconciler.engine.windows import window_open
from reconciler.model.client import Client, Contact, Window


def clinic(*windows: Window, zone: str = "America/New_York") -> Client:
    return Client(
        id="c",
        name="C",
        tier="t",
        time_zone=zone,
        frameworks=("hipaa",),
        mode="enforce",
        windows=windows,
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
