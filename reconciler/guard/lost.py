"""Memory that is lost is not an empty one: everything cools down."""

from reconciler.guard.context import GuardContext
from reconciler.model.verdict import Verdict


def without_memory(name: str, context: GuardContext) -> Verdict:
    """What a guard says that cannot remember: later, and not before the longest cooldown."""
    reason = "there is no memory of earlier attempts, so none is free"
    return Verdict("defer", name, reason, context.desired.guards.cooldown.cap_s)
