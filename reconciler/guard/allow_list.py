"""Only an approved runbook runs, only as it was approved, and only for what it fixes."""

from reconciler.guard.context import Guard, GuardContext
from reconciler.model.parameter import bind
from reconciler.model.plan import Action
from reconciler.model.runbook import Runbook
from reconciler.model.verdict import Verdict

NAME = "allow_list"


def judge(action: Action, context: GuardContext) -> Verdict:
    """Deny a runbook that is unknown, not approved, denied, changed, or put to another use."""
    pinned = context.desired.runbooks.get(action.runbook)
    if pinned is None:
        return Verdict("deny", NAME, f"there is no runbook {action.runbook}")
    if not pinned.approved:
        return Verdict("deny", NAME, f"{action.runbook} as it is now is not approved")
    if action.runbook in context.desired.client.denied_runbooks:
        return Verdict("deny", NAME, f"the client denies {action.runbook}")
    if action.runbook_digest != pinned.digest:
        return Verdict("deny", NAME, f"{action.runbook} changed since it was planned")
    problem = _misuse(action, context, pinned.runbook)
    return Verdict("deny", NAME, problem) if problem else Verdict("allow", NAME)


def _misuse(action: Action, context: GuardContext, runbook: Runbook) -> str | None:
    checks = {rule.id: rule.check for rule in context.desired.rules}
    strange = [rule for rule in action.rules if checks.get(rule) not in runbook.fixes]
    if strange:
        return f"{runbook.id} is not for {', '.join(strange)}"
    if context.desired.host.kind not in runbook.platforms:
        return f"{runbook.id} is not for {context.desired.host.kind}"
    _params, problems = bind(dict(runbook.parameters), action.params)
    return f"{runbook.id}: {'; '.join(problems)}" if problems else None


GUARD = Guard(NAME, judge)
