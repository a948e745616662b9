"""The heartbeats that CI signs beside the fleet's branch, as one run sees and believes them.

Rule 1: What does not count (nobody may have signed it, another branch, no such file) is as if it
        were not there: it stops nothing, and makes nothing fresh.
Rule 2: What counts and contradicts what was seen refuses the head beside which it lies, and is not
        believed either: the age goes on from the last one that fitted.
"""

from datetime import datetime

from reconciler.desired.refusal import Reason, refuse
from reconciler.engine.appliance import Appliance
from reconciler.engine.past import Past
from reconciler.engine.trusted.freshness import is_stale, measure, words
from reconciler.engine.trusted.standing import Sight
from reconciler.trust.heartbeat import Beat

_CONTRADICTS = (Reason.HEARTBEAT_REPLAYED, Reason.HEARTBEAT_CONFLICT, Reason.HEAD_WENT_BACK)


def look_at_heartbeat(appliance: Appliance, trusted: str, head: str, now: datetime) -> None:
    """Remember the newest heartbeat, if it counts.

    Args:
        appliance: Open, and the fleet was fetched.
        trusted: The commit whose trust policy says who signs heartbeats.
        head: The commit that must be the newest: what the branch is at, if it may be in force.
        now: Wall time.

    Raises:
        IntentRefused: ``heartbeat-replayed``, ``heartbeat-conflict`` or ``head-went-back``.
        MirrorDamaged: A commit is not in the mirror.
    """
    past = appliance.past
    newest = _beat(past.standing.sight)
    judged = appliance.source.heartbeat(accepted=trusted, head=head, now=now, newest=newest)
    wrong = judged.objection
    if wrong is not None and wrong.code in _CONTRADICTS:
        what = f"is not shown to be the newest: the heartbeat beside it {wrong.words}"
        raise refuse(Reason(wrong.code), head, what)
    if judged.beat is not None and wrong is None:
        beat = judged.beat
        sight = Sight(beat.counter, beat.commit, beat.time, beat.digest, beat.by)
        past.standing = past.standing.seeing(sight)


def _beat(sight: Sight | None) -> Beat | None:
    if sight is None:
        return None
    return Beat(sight.counter, sight.statement, sight.time, sight.commit, sight.by)


def refuse_stale(past: Past, head: str, now: datetime) -> None:
    """Hold that a newer state brings a fresh heartbeat where the one in force promises a limit.

    Args:
        past: Up to now, with the heartbeat that the newer state brings.
        head: The newer state.
        now: Wall time.

    Raises:
        IntentRefused: ``stale`` or ``heartbeat-missing``.
    """
    freshness = measure(past.standing, past.limit_s, now)
    if not is_stale(freshness):
        return
    reason = Reason.HEARTBEAT_MISSING if freshness.age_s is None else Reason.STALE
    limit = words(freshness.limit_s or 0)
    what = f"comes without a heartbeat of the last {limit}, which the state in force promises"
    raise refuse(reason, head, what)
