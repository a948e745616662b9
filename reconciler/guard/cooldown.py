"""The same action waits between two attempts, longer after each failure.

300 s x 2^failures, at most 6 hours, from the end of the last attempt. A verified success, or a
day without an attempt, forgets the failures; the 300 s stay, so that a fix which does not hold
(lesson 10) cannot be done again in every run. Why 6 hours: other owners of a setting put it back
every 90 to 120 minutes, and must be seen to.
"""

from datetime import timedelta

from reconciler.guard.attempt import Attempt
from reconciler.guard.context import Guard, GuardContext
from reconciler.model.plan import Action
from reconciler.model.verdict import Verdict

NAME = "cooldown"
BASE_S = 300
CAP_S = 6 * 3600
_MOST_DOUBLINGS = 10
"""300 s x 2^10 is above the cap; a larger count must not become a larger number."""


def bound_s(failures: int) -> int:
    """Seconds that must lie between two attempts, after so many failures."""
    return min(BASE_S << min(max(failures, 0), _MOST_DOUBLINGS), CAP_S)


def judge(action: Action, context: GuardContext) -> Verdict:
    """Defer until the action has cooled down; without memory it never has."""
    if context.memory is None:
        reason = "there is no memory of earlier attempts, so none is free"
        return Verdict("defer", NAME, reason, CAP_S)
    attempt = context.memory.attempts.get(action.id)
    if attempt is None:
        return Verdict("allow", NAME)
    elapsed = context.now - attempt.last_at
    if elapsed < timedelta(0):
        reason = "the clock is behind the last attempt, so no time has passed since"
        return Verdict("defer", NAME, reason, _wait_s(attempt))
    left = timedelta(seconds=_wait_s(attempt)) - elapsed
    if left > timedelta(0):
        # Rounded up: a retry at the promised second must not be turned away again.
        return Verdict("defer", NAME, _reason(attempt), -(-left // timedelta(seconds=1)))
    return Verdict("allow", NAME)


def _wait_s(attempt: Attempt) -> int:
    return bound_s(attempt.failures + attempt.open)


def _reason(attempt: Attempt) -> str:
    if attempt.open:
        return "an earlier attempt has no outcome yet"
    if attempt.failures:
        return f"cooling down after {attempt.failures} failed attempts"
    return "done a moment ago; a fix that does not hold is not repeated at once"


GUARD = Guard(NAME, judge)
