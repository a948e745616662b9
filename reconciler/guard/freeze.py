"""On days that a client froze nothing is changed: an audit, a migration, a week with no one there.

Rule 1: Both days of a freeze are part of it, in the client's time zone.
Rule 2: Only an emergency approval that binds this plan and this runbook lets an action through.
Rule 3: Where nobody reckoned the client's day, a client with freeze days is frozen.
"""

from reconciler.guard.approval import emergency, said
from reconciler.guard.context import Guard, GuardContext
from reconciler.guard.waiting import seconds_until
from reconciler.model.client import Freeze
from reconciler.model.plan import Action
from reconciler.model.verdict import Verdict

NAME = "freeze"


def judge(action: Action, context: GuardContext) -> Verdict:
    """Defer until the freeze ends."""
    frozen = context.desired.client.freeze
    if not frozen:
        return Verdict("allow", NAME)
    if context.calendar is None:
        return Verdict("defer", NAME, "the client has freeze days, and its day is not known")
    covering = [each for each in frozen if each.first <= context.calendar.day <= each.last]
    if not covering:
        return Verdict("allow", NAME)
    pressing = emergency(action, context)
    if pressing is not None:
        return Verdict("allow", NAME, f"emergency: {said(pressing)}")
    wait_s = seconds_until(context.calendar.thaws_at, context.now)
    return Verdict("defer", NAME, "; ".join(map(_words, covering)), wait_s)


def _words(freeze: Freeze) -> str:
    return f"frozen from {freeze.first} to {freeze.last}: {freeze.reason}"


GUARD = Guard(NAME, judge)
