"""What a client's calendar says of one moment: its day, its next window, the end of its freeze.

Reckoned where time zones are known (`reconciler.engine.windows`); guards only compare.
"""

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """One moment in a client's time zone.

    Attributes:
        day: The day it is there.
        opens_at: When a maintenance window is open next, the moment itself if one is open;
            ``None`` when none opens within the days that were looked at.
        thaws_at: When the freeze in which ``day`` lies ends; ``None`` on a day that is not frozen,
            or when it never ends.
    """

    day: date
    opens_at: datetime | None
    thaws_at: datetime | None
