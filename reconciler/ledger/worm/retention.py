"""How long evidence is kept: six years at least, and never shorter than somebody was promised.

45 CFR 164.316(b)(2)(i): required documentation is kept "for 6 years from the date of its creation
or the date when it last was in effect, whichever is later". No tier of service shortens that.

Rule 1: Calendar years: 29 February lasts until 1 March, not until 28 February.
Rule 2: What compliance mode has locked cannot be unlocked, so a mistake upwards is bounded too.
"""

from datetime import UTC, datetime, timedelta

from reconciler.errors import EvidenceError, InputError

YEARS = 6
MOST_YEARS = 30
"""Years that a client may ask for: a slip of the pen could never be taken back."""


def check_years(years: int) -> int:
    """The years as they are, if they may be asked for.

    Raises:
        InputError: Fewer than six, or more than thirty.
    """
    if not YEARS <= years <= MOST_YEARS:
        message = f"evidence cannot be kept for {years} years"
        hint = f"Ask for {YEARS} (45 CFR 164.316(b)(2)(i)) to {MOST_YEARS} years."
        raise InputError(message, hint=hint)
    return years


def retain_until(
    created: datetime, *, last_in_effect: datetime | None = None, years: int = YEARS
) -> datetime:
    """Until when something must be kept: a midnight (UTC), one to two days more than the years.

    The day more is for the time between the creation of a record and its arrival at a store,
    whose own clock an auditor counts from.

    Args:
        created: When it was made, timezone-aware.
        last_in_effect: When it last was in effect, if that can be later.
        years: Calendar years to keep it.

    Raises:
        InputError: Years that may not be asked for.
        EvidenceError: A time without a zone, or one that no calendar holds.
    """
    latest = max(map(_utc, (created, last_in_effect or created)))
    end = years_after(latest, check_years(years))
    return end.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=2)


def years_after(moment: datetime, years: int = YEARS) -> datetime:
    """The same time of the same day of the calendar, years later, in UTC.

    Args:
        moment: Timezone-aware.
        years: How many.

    Raises:
        EvidenceError: A time without a zone, or one that no calendar holds.
    """
    start = _utc(moment)
    try:
        if (start.month, start.day) == (2, 29):
            # The day after 28 February is 29 February where there is one, else 1 March (Rule 1).
            return start.replace(year=start.year + years, day=28) + timedelta(days=1)
        return start.replace(year=start.year + years)
    except ValueError as error:
        message = f"nothing can be kept for {years} years from {start:%Y-%m-%d}"
        raise EvidenceError(message, hint="Set the clock right (timedatectl).") from error


def _utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        message = f"time {moment.isoformat()} has no zone"
        raise EvidenceError(message, hint="Retention counts from an instant, not from a wall.")
    return moment.astimezone(UTC)
