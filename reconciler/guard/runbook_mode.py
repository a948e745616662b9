"""How much of a person a runbook needs: none, a window, an approval, or everything."""

from reconciler.guard.context import Guard, GuardContext
from reconciler.model.plan import Action
from reconciler.model.verdict import Verdict

NAME = "runbook_mode"


def judge(action: Action, context: GuardContext) -> Verdict:
    """Allow ``auto``; allow ``window`` in an open one; deny what a person must do."""
    pinned = context.desired.runbooks.get(action.runbook)
    if pinned is None:
        return Verdict("deny", NAME, f"there is no runbook {action.runbook}")
    match pinned.runbook.mode:
        case "auto":
            return Verdict("allow", NAME)
        case "window":
            if context.window_open:
                return Verdict("allow", NAME)
            return Verdict("defer", NAME, "waits for a maintenance window")
        case "approve":
            return Verdict("deny", NAME, "approve: needs a person")
        case "never":
            return Verdict("deny", NAME, "never: people do this; see the runbook's procedure")


GUARD = Guard(NAME, judge)
