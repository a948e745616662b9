"""Conditions of a runbook, judged by the comparator that judges rules."""

from collections.abc import Mapping, Sequence

from reconciler.engine.look import Eye
from reconciler.model.desired import BoundRule
from reconciler.model.finding import Finding
from reconciler.model.parameter import bind
from reconciler.model.plan import Action
from reconciler.model.render import render, render_expectation
from reconciler.model.rule import bound
from reconciler.model.runbook import Condition
from reconciler.model.values import Value


def run_prechecks(eye: Eye, action: Action) -> tuple[Finding, ...]:
    """Look whether what the runbook asks for before its first step holds."""
    pinned = eye.desired.runbooks.get(action.runbook)
    return _judge(eye, action, pinned.runbook.precheck if pinned else ())


def verify_also(eye: Eye, action: Action) -> tuple[Finding, ...]:
    """Look whether what the runbook asks for afterwards holds."""
    pinned = eye.desired.runbooks.get(action.runbook)
    return _judge(eye, action, pinned.runbook.also_verify if pinned else ())


def _judge(eye: Eye, action: Action, conditions: Sequence[Condition]) -> tuple[Finding, ...]:
    rules = [_as_rule(eye, number, c, action.params) for number, c in enumerate(conditions, 1)]
    return tuple(eye.look(rules).values())


def _as_rule(eye: Eye, number: int, condition: Condition, params: Mapping[str, Value]) -> BoundRule:
    check = eye.checks[condition.check]
    filled, _problems = bind(dict(check.params), render(condition.params, params))
    return BoundRule(
        id=f"condition-{number}",
        rule=f"condition-{number}",
        title=condition.reason,
        check=condition.check,
        params=filled,
        expect={
            name: bound(render_expectation(raw, params), {})
            for name, raw in condition.expect.items()
        },
        severity="high",
        controls=(),
        enforce=False,
        remedy=None,
    )
