"""The same action waits between two attempts, longer after each failure.

300 s x 2^failures, at most 6 hours, from the end of the last attempt. A verified success, or a
day without an attempt, forgets the failures; the 300 s stay, so that a fix which does not hold
(lesson 10) cannot be done again in every run. Why 6 hours: other owners of a setting put it back
every 90 to 120 minutes, and must be seen to.
"""

from datetime import timedelta

from reconciler.guard.attempt import Attempt
from reconciler.guard.context import Guard, GuardContext
from reconciler.guard.lost import without_memory
from reconciler.guard.waiting import seconds_until
from reconciler.model.guard_settings import CooldownSettings
from reconciler.model.plan import Action
from reconciler.model.verdict import Verdict

NAME = "cooldown"
_MOST_DOUBLINGS = 12
"""60 s x 2^12 is above the longest cap; a larger count must not become a larger number."""


def bound_s(failures: int, settings: CooldownSettings) -> int:
    """Seconds that must lie between two attempts, after so many failures."""
    doubled = settings.base_s << min(max(failures, 0), _MOST_DOUBLINGS)
    return min(doubled, settings.cap_s)


def judge(action: Action, context: GuardContext) -> Verdict:
    """Defer until the action has cooled down; without memory it never has."""
    if context.memory is None:
        return without_memory(NAME, context)
    attempt = context.memory.attempts.get(action.id)
    if attempt is None:
        return Verdict("allow", NAME)
    wait_s = bound_s(attempt.failures + attempt.open, context.desired.guards.cooldown)
    if context.now < attempt.last_at:
        reason = "the clock is behind the last attempt, so no time has passed since"
        return Verdict("defer", NAME, reason, wait_s)
    free_at = attempt.last_at + timedelta(seconds=wait_s)
    if context.now < free_at:
        return Verdict("defer", NAME, _reason(attempt), seconds_until(free_at, context.now))
    return Verdict("allow", NAME)


def _reason(attempt: Attempt) -> str:
    if attempt.open:
        return "an earlier attempt has no outcome yet"
    if attempt.failures:
        return f"cooling down after {attempt.failures} failed attempts"
    return "done a moment ago; a fix that does not hold is not repeated at once"


GUARD = Guard(NAME, judge)
