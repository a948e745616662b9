"""When the runs were that an entry stands for: its own time, or many times for a sealed hour."""

from datetime import UTC, datetime, timedelta
from itertools import accumulate

from reconciler.evidence.entry import Entry, Kind, stamp

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def milliseconds(at: datetime) -> int:
    """A time as milliseconds since 1970."""
    # Without floats: they would round.
    elapsed = at - _EPOCH
    return (elapsed.days * 86_400 + elapsed.seconds) * 1000 + elapsed.microseconds // 1000


def moments(entry: Entry) -> list[int] | None:
    """When the runs or the other thing was that an entry stands for, oldest first.

    Returns:
        Milliseconds since 1970; None for a run that does not say when it was.
    """
    at = milliseconds(entry.time)
    if entry.kind is not Kind.RUN or not entry.slim:
        return [at]
    ticks, ago = entry.body.get("ticks", [0]), entry.body.get("ago_ms", 0)
    if not _are_ticks(ticks) or not _are_ticks([ago]):
        return None
    begin = at - ago - sum(ticks)
    return None if begin < 0 else list(accumulate(ticks, initial=begin))[1:]


def ended(entry: Entry) -> int:
    """When the last of what an entry says happened, milliseconds since 1970.

    Before its own time only for runs that were sealed after the last of them.
    """
    at = milliseconds(entry.time)
    ago = entry.body.get("ago_ms", 0) if entry.kind is Kind.RUN and entry.slim else 0
    return at - ago if _are_ticks([ago]) and ago <= at else at


def ended_at(entry: Entry) -> str:
    """The same as entries write times."""
    return stamp(_EPOCH + timedelta(milliseconds=ended(entry)))


def _are_ticks(ticks: object) -> bool:
    return (
        isinstance(ticks, list)
        and bool(ticks)
        and all(type(tick) is int and tick >= 0 for tick in ticks)
    )
