"""Nothing is done unless the client, the host and every rule all say ``enforce``."""

from reconciler.guard.context import Guard, GuardContext
from reconciler.model.plan import Action
from reconciler.model.verdict import Verdict

NAME = "mode"


def judge(action: Action, context: GuardContext) -> Verdict:
    """Deny an action for another host, or one that anybody only wants observed."""
    desired = context.desired
    if action.target != desired.target:
        return Verdict("deny", NAME, f"the action is for {action.target}, not {desired.target}")
    for scope, mode in (("client", desired.client.mode), ("host", desired.host.mode)):
        if mode != "enforce":
            return Verdict("deny", NAME, f"the {scope} is in {mode} mode")
    enforced = {rule.id for rule in desired.rules if rule.enforce}
    observed = [rule for rule in action.rules if rule not in enforced]
    if observed or not action.rules:
        names = ", ".join(observed) or "no rule"
        return Verdict("deny", NAME, f"not enforced here: {names}")
    return Verdict("allow", NAME)


GUARD = Guard(NAME, judge)
