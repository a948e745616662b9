"""How new the desired state is known to be, against what the client is promised.

Rule 1: A limit that nobody can show to be kept is broken: no heartbeat is no fresh heartbeat.
Rule 2: A hold names what ends it, and is no error: the last accepted state stays in force.
"""

from collections.abc import Sequence
from datetime import datetime

from reconciler.desired.refusal import HINTS, Reason
from reconciler.engine.trusted.standing import Standing
from reconciler.model.run import Freshness, Hold

HOUR_S = 3600
_SHOWN = 3


def seconds(limit_h: int | None) -> int | None:
    """``freshness_h`` of a client in seconds."""
    return None if limit_h is None else limit_h * HOUR_S


def measure(standing: Standing, limit_s: int | None, now: datetime) -> Freshness:
    """How old the newest heartbeat is, and how old it may be.

    Args:
        standing: Up to now.
        limit_s: What is promised; None if nothing is.
        now: Wall time.
    """
    sight = standing.sight
    if sight is None:
        return Freshness(None, limit_s, None, None)
    return Freshness(sight.age_s(now), limit_s, sight.counter, sight.commit)


def is_stale(freshness: Freshness) -> bool:
    """Whether a limit is promised and not kept."""
    if freshness.limit_s is None:
        return False
    return freshness.age_s is None or freshness.age_s > freshness.limit_s


def stale_hold(freshness: Freshness, standing: Standing, now: datetime) -> Hold | None:
    """The hold of a limit that is not kept; None if it is, or none is promised."""
    if not is_stale(freshness):
        return None
    limit = words(freshness.limit_s or 0)
    if freshness.age_s is None:
        message = f"there never was a valid heartbeat, and the client is promised one every {limit}"
        return _hold(Reason.HEARTBEAT_MISSING, message, standing, now)
    age = words(freshness.age_s)
    message = f"the newest heartbeat is {age} old; the client is promised one every {limit}"
    return _hold(Reason.STALE, message, standing, now)


def tainted_hold(paths: Sequence[str], standing: Standing, now: datetime) -> Hold | None:
    """The hold of content that a revoked key wrote; None if there is none."""
    if not paths:
        return None
    some = ", ".join(paths[:_SHOWN])
    more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
    message = f"a revoked key wrote what is in force at {some}{more}"
    return _hold(Reason.REVOKED_CONTENT, message, standing, now, tuple(paths))


def words(time_s: int) -> str:
    """A time for people: minutes below two hours, hours below two days, days."""
    if time_s < 2 * HOUR_S:
        return f"{time_s // 60} min"
    hours = time_s // HOUR_S
    return f"{hours} h" if hours < 48 else f"{hours // 24} days"


def _hold(
    reason: Reason, message: str, standing: Standing, now: datetime, paths: tuple[str, ...] = ()
) -> Hold:
    since = standing.held.get(reason.value, now)
    return Hold(reason.value, message, HINTS[reason], since, paths)
