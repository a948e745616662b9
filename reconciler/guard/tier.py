"""Nothing is changed for a client whose tier only looks."""

from reconciler.guard.context import Guard, GuardContext
from reconciler.model.plan import Action
from reconciler.model.verdict import Verdict

NAME = "tier"


def judge(_action: Action, context: GuardContext) -> Verdict:
    """Deny unless the client's tier has ``heal``; no features at all are no ``heal``, too."""
    if "heal" in context.desired.features:
        return Verdict("allow", NAME)
    return Verdict("deny", NAME, f"tier {context.desired.client.tier} does not heal")


GUARD = Guard(NAME, judge)
