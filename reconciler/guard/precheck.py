"""What a runbook asks for before its first step must have been seen to hold."""

from reconciler.guard.context import Guard, GuardContext
from reconciler.model.plan import Action
from reconciler.model.verdict import Verdict

NAME = "precheck"


def judge(action: Action, context: GuardContext) -> Verdict:
    """Deny when a condition was seen not to hold; defer when it could not be seen."""
    pinned = context.desired.runbooks.get(action.runbook)
    if pinned is None:
        return Verdict("deny", NAME, f"there is no runbook {action.runbook}")
    conditions, findings = pinned.runbook.precheck, context.prechecks
    if [c.check for c in conditions] != [f.check for f in findings]:
        return Verdict("defer", NAME, "the runbook's prechecks were not all looked at")
    pairs = list(zip(conditions, findings, strict=True))
    for condition, finding in pairs:
        if finding.status not in {"pass", "unknown"}:
            return Verdict("deny", NAME, f"{condition.check}: {condition.reason}")
    for condition, finding in pairs:
        if finding.status == "unknown":
            return Verdict("defer", NAME, f"{condition.check} is unknown: {finding.reason}")
    return Verdict("allow", NAME)


GUARD = Guard(NAME, judge)
