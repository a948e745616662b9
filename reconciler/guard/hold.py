"""Nothing is done while it is not known that the desired state is the newest one people want.

A repository that stopped moving, a key that was revoked, a heartbeat that never came: what was
accepted stays in force and is looked at, and every action waits.
"""

from reconciler.guard.context import Guard, GuardContext
from reconciler.model.plan import Action
from reconciler.model.verdict import Verdict

NAME = "hold"


def judge(_action: Action, context: GuardContext) -> Verdict:
    """Defer while anything holds the desired state; says what is needed."""
    if context.holds:
        reasons = "; ".join(f"{hold.reason}: {hold.message}. {hold.hint}" for hold in context.holds)
        return Verdict("defer", NAME, f"held ({reasons})")
    return Verdict("allow", NAME)


GUARD = Guard(NAME, judge)
