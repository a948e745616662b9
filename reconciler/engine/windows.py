"""Maintenance windows in the client's own time zone."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from reconciler.model.client import Client, Window

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def window_open(client: Client, now: datetime) -> bool:
    """Whether one of the client's windows is open.

    Wall-clock times of the client's zone: in the hour that daylight saving repeats, a window is
    open twice; in the hour that it skips, it is not open at all.

    Args:
        client: Names its zone and windows.
        now: Any timezone-aware time.
    """
    local = now.astimezone(ZoneInfo(client.time_zone))
    return any(_covers(window, local) for window in client.windows)


def _covers(window: Window, local: datetime) -> bool:
    minute = f"{local:%H:%M}"
    today = DAYS[local.weekday()] in window.days
    yesterday = DAYS[(local - timedelta(days=1)).weekday()] in window.days
    if window.start < window.end:
        return today and window.start <= minute < window.end
    return (today and minute >= window.start) or (yesterday and minute < window.end)
