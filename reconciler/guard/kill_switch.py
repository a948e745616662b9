"""An engaged kill switch of the fleet, the client or the host stops every action."""

from reconciler.guard.context import Guard, GuardContext
from reconciler.model.plan import Action
from reconciler.model.verdict import Verdict

NAME = "kill_switch"


def judge(_action: Action, context: GuardContext) -> Verdict:
    """Deny while any switch is engaged; a switch in the documents counts like a resolved one."""
    switches = {
        "client": context.desired.client.kill_switch,
        "host": context.desired.host.kill_switch,
        **context.desired.kill_switches,
    }
    engaged = [
        f"{scope}: {switch.reason}"
        for scope, switch in switches.items()
        if switch and switch.engaged
    ]
    if engaged:
        return Verdict("deny", NAME, f"kill switch engaged ({'; '.join(engaged)})")
    return Verdict("allow", NAME)


GUARD = Guard(NAME, judge)
