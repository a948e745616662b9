"""Maintenance windows and freeze days in the client's own time zone.

Rule 1: Times are those of the wall clock there. In the hour that daylight saving repeats a window
        is open twice; in the hour that it skips, not at all.
Rule 2: A window whose end is not after its start ends on the next day, and belongs to the day on
        which it began.
Rule 3: A moment is found, not reckoned: what is returned was asked of `window_open`.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from reconciler.guard.calendar import Calendar
from reconciler.model.client import Client, Freeze, Window

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LOOK_AHEAD = timedelta(days=15)
"""A weekly window that falls into a skipped hour once opens a week later."""

_SECOND = timedelta(seconds=1)


def window_open(client: Client, now: datetime) -> bool:
    """Whether one of the client's windows is open.

    Args:
        client: Names its zone and windows.
        now: Any timezone-aware time.
    """
    local = now.astimezone(ZoneInfo(client.time_zone))
    return any(_covers(window, local) for window in client.windows)


def next_open(client: Client, now: datetime) -> datetime | None:
    """When one of the client's windows is open, now or next; ``None`` within `LOOK_AHEAD`.

    Args:
        client: Names its zone and windows.
        now: Any timezone-aware time.

    Returns:
        A time in UTC.
    """
    if not client.windows:
        return None
    if window_open(client, now):
        return now.astimezone(UTC)
    # Nothing but a start or a change of the clocks turns closed into open.
    zone = ZoneInfo(client.time_zone)
    starts = (m for m in _starts(client, now, zone) if m > now and window_open(client, m))
    start = next(starts, None)
    until = now + LOOK_AHEAD if start is None else start
    changes = (m for m in _changes(now, until, zone) if m > now and window_open(client, m))
    return next(changes, start)


def calendar(client: Client, now: datetime) -> Calendar:
    """What the client's calendar says of a moment."""
    day = now.astimezone(ZoneInfo(client.time_zone)).date()
    return Calendar(day=day, opens_at=next_open(client, now), thaws_at=_thaws_at(client, day))


def _covers(window: Window, local: datetime) -> bool:
    minute = f"{local:%H:%M}"
    today = DAYS[local.weekday()] in window.days
    yesterday = DAYS[(local - timedelta(days=1)).weekday()] in window.days
    if window.start < window.end:
        return today and window.start <= minute < window.end
    return (today and minute >= window.start) or (yesterday and minute < window.end)


def _starts(client: Client, now: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    """Every start of a window, in order; both times where the hour is repeated."""
    first = now.astimezone(zone).date()
    hours = {time.fromisoformat(window.start) for window in client.windows}
    for number in range(LOOK_AHEAD.days + 1):
        day = first + timedelta(days=number)
        walls = [
            datetime.combine(day, hour, zone).replace(fold=f) for hour in hours for f in (0, 1)
        ]
        yield from sorted({wall.astimezone(UTC) for wall in walls})


def _changes(now: datetime, until: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    """Every change of the clocks before a moment, to the second."""
    early = now.astimezone(UTC).replace(microsecond=0)
    while early < until:
        late = early + timedelta(days=1)
        if _offset(early, zone) != _offset(late, zone):
            change = _change(early, late, zone)
            if change < until:
                yield change
        early = late


def _change(early: datetime, late: datetime, zone: ZoneInfo) -> datetime:
    before = _offset(early, zone)
    while late - early > _SECOND:
        middle = early + (late - early) // 2 // _SECOND * _SECOND
        if _offset(middle, zone) == before:
            early = middle
        else:
            late = middle
    return late


def _offset(at: datetime, zone: ZoneInfo) -> timedelta | None:
    return at.astimezone(zone).utcoffset()


def _thaws_at(client: Client, day: date) -> datetime | None:
    """The midnight that ends a freeze, and every freeze that follows it without a day between."""
    last = _last_frozen(client.freeze, day)
    if last is None or last == date.max:
        return None
    following = datetime.combine(last + timedelta(days=1), time(), ZoneInfo(client.time_zone))
    return following.astimezone(UTC)


def _last_frozen(freezes: tuple[Freeze, ...], day: date) -> date | None:
    last: date | None = None
    while covering := [f.last for f in freezes if f.first <= day <= f.last]:
        last = max(covering)
        if last == date.max:
            return last
        day = last + timedelta(days=1)
    return last
