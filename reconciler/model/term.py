"""How long something that people decided is good for: from a day, to a day, and how soon it ends.

Exceptions and approvals end by themselves. Nobody should learn of it from a check that fails, so
there is a time before the end in which everything that shows them says when it comes.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

Phase = Literal["early", "current", "ending", "over"]


@dataclass(frozen=True, slots=True)
class Term:
    """From a first to a last day, both included.

    Attributes:
        first: The first day.
        last: The last day.
        notice: How long before the end it is said.
    """

    first: date
    last: date
    notice: timedelta

    def phase(self, today: date) -> Phase:
        """Where a day lies. ``ending`` is in force, too."""
        if today < self.first:
            return "early"
        if today > self.last:
            return "over"
        return "ending" if self.last - today <= self.notice else "current"

    def in_force(self, today: date) -> bool:
        """Whether it counts on a day."""
        return self.phase(today) in {"current", "ending"}

    def words(self, today: date) -> str | None:
        """What a person must know about it on a day; ``None`` when nothing."""
        match self.phase(today):
            case "early":
                return f"is decided on {self.first} only"
            case "over":
                return f"expired on {self.last}"
            case "ending":
                return f"ends on {self.last}, {_days((self.last - today).days)}"
            case "current":
                return None


def year_after(day: date) -> date:
    """The same day next year; 29 February becomes 1 March."""
    leap_day = (day.month, day.day) == (2, 29)
    return date(day.year + 1, 3, 1) if leap_day else day.replace(year=day.year + 1)


def _days(days: int) -> str:
    if days == 0:
        return "today"
    return f"in {days} day{'s' * (days != 1)}"
