"""How long until a moment, as verdicts say it."""

from datetime import datetime, timedelta


def seconds_until(then: datetime | None, now: datetime) -> int | None:
    """Whole seconds, rounded up and at least one; ``None`` when nobody knows the moment.

    Rounded up: a retry at the promised second must not be turned away again.
    """
    if then is None:
        return None
    return max(-((now - then) // timedelta(seconds=1)), 1)
