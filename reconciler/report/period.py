"""A day or a month of evidence, in UTC."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from reconciler.errors import InputError
from reconciler.evidence.entry import stamp

_NAME = re.compile(r"[0-9]{4}-[0-9]{2}(-[0-9]{2})?")
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})"
)
_HINT = "Write a month (2026-03), a day (2026-03-01) or a time (2026-03-01T12:00:00Z), in UTC."


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of time, as entries write it.

    Attributes:
        name: ``2026-03-01`` or ``2026-03``.
        start: Its first millisecond.
        end: Its last millisecond.
    """

    name: str
    start: str
    end: str

    def holds(self, at: str) -> bool:
        """Whether a time lies in it; entries write times in a fixed width, so text compares."""
        return self.start <= at <= self.end


def parse(name: str) -> Period:
    """A period by its name: a month or a day.

    Raises:
        InputError: It is neither.
    """
    if not _NAME.fullmatch(name):
        raise InputError(f"{name!r:.40} is no day and no month", hint=_HINT)
    try:
        first = date.fromisoformat(name if len(name) == 10 else f"{name}-01")
        after = first + timedelta(days=1) if len(name) == 10 else _next_month(first)
    except (ValueError, OverflowError) as error:
        raise InputError(f"{name} is not in the calendar: {error}", hint=_HINT) from error
    return Period(name, stamp(_midnight(first)), _just_before(after))


def oldest(text: str) -> str:
    """The first millisecond that a day, a month or a time names.

    Raises:
        InputError: It is none of them.
    """
    return _moment(text) if "T" in text else parse(text).start


def newest(text: str) -> str:
    """The last millisecond that a day, a month or a time names.

    Raises:
        InputError: It is none of them.
    """
    return _moment(text) if "T" in text else parse(text).end


def _moment(text: str) -> str:
    try:
        if _MOMENT.fullmatch(text):
            return stamp(datetime.fromisoformat(text))
    except (ValueError, OverflowError) as error:
        raise InputError(f"{text!r:.40} is not a time: {error}", hint=_HINT) from error
    raise InputError(f"{text!r:.40} is not a time", hint=_HINT)


def _next_month(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _just_before(day: date) -> str:
    return stamp(_midnight(day) - timedelta(milliseconds=1))
