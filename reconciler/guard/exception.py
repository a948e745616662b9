"""What a client decided to leave as it is, nobody changes.

A rule under an exception in force is ``excepted`` and not planned for. This is the second line: a
plan that was made before the decision, or chosen by somebody else, must not undo it.

Rule 1: Denied when every rule of the action is under an exception that is in force.
Rule 2: One rule that is not is a reason to act; what the runbook does was approved for that.
Rule 3: A risk that is accepted without compliance excuses nothing and stops nothing.
"""

from collections.abc import Iterator
from datetime import UTC

from reconciler.guard.context import Guard, GuardContext
from reconciler.model.desired import BoundRule
from reconciler.model.exemption import PolicyException
from reconciler.model.plan import Action
from reconciler.model.verdict import Verdict

NAME = "exception"


def judge(action: Action, context: GuardContext) -> Verdict:
    """Deny an action of which no rule is left that may be put right."""
    rules = {rule.id: rule for rule in context.desired.rules}
    covers = [_cover(rules.get(name), context) for name in action.rules]
    held = [cover for cover in covers if cover is not None]
    if not held or len(held) < len(covers):
        return Verdict("allow", NAME)
    names = ", ".join(dict.fromkeys(f"{each.id} until {each.review_by}" for each in held))
    return Verdict("deny", NAME, f"excepted: {names}")


def _cover(rule: BoundRule | None, context: GuardContext) -> PolicyException | None:
    return next(_covers(rule, context), None) if rule is not None else None


def _covers(rule: BoundRule, context: GuardContext) -> Iterator[PolicyException]:
    today = context.now.astimezone(UTC).date()
    for each in context.desired.exceptions:
        control = context.desired.controls.get(each.control)
        named = context.desired.host.id in each.hosts and rule.rule in each.rules
        serves = control is not None and control.exceptable and each.control in rule.controls
        if each.status == "excepted" and named and serves and each.term.in_force(today):
            yield each


GUARD = Guard(NAME, judge)
