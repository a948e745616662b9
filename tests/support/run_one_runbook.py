"""Runs inside a guest: one runbook against one rule, without engine and ledger.

Reads ``{"runbook", "params", "rule": {"check", "params", "expect"}, "lie": bool}`` and prints what
was seen before, what the prechecks said, and the outcome. ``lie`` makes every operation report
success and change nothing; ``settle_s`` replaces the runbook's own.
"""

import json
import sys
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import yaml

from reconciler.act.executor import execute
from reconciler.checks import catalogue as checks
from reconciler.diff.judge import judge
from reconciler.model.answer import Answer
from reconciler.model.desired import BoundRule, PinnedRunbook
from reconciler.model.finding import Finding
from reconciler.model.operation import Operation, OperationResult
from reconciler.model.parameter import bind
from reconciler.model.plan import Action
from reconciler.model.render import render
from reconciler.model.rule import RawExpectation, bound
from reconciler.model.runbook import Condition, Runbook
from reconciler.model.values import Params
from reconciler.observe.driver import Request, observe
from reconciler.steps import catalogue as steps
from reconciler.targets.linux.target import LinuxTarget

TARGET = "clinic/frontdesk"


@dataclass(frozen=True)
class Receipt:
    seq: int = 1
    kind: str = "intent"
    digest: str = "0" * 64


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class Liar(LinuxTarget):
    """Says yes to everything and does nothing."""

    def carry_out(self, operation: Operation) -> OperationResult:
        del operation
        return OperationResult(ok=True, reason="", ms=0)


def frozen(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: frozen(item) for key, item in value.items()}
    return tuple(map(frozen, value)) if isinstance(value, list) else value


def internal(topic: str) -> Answer:
    facts = {"now": {"unix_s": int(time.time())}, "host": {"name": TARGET, "root": True}}
    return Answer("ok", facts[topic]) if topic in facts else Answer("unsupported", reason=topic)


def as_rule(name: str, check: str, params: Params, expect: dict[str, RawExpectation]) -> BoundRule:
    complete, problems = bind(dict(checks.load()[check].params), params)
    assert not problems, problems
    return BoundRule(
        id=name, rule=name, title=name, check=check, params=complete, severity="high",
        expect={field: bound(raw, {}) for field, raw in expect.items()},
        controls=(), enforce=True, remedy=None,
    )  # fmt: skip


def look(target: LinuxTarget, rules: list[BoundRule]) -> list[Finding]:
    requests = [Request(checks.load()[rule.check], rule.params) for rule in rules]
    seen = observe(requests, target, deadline_s=20, salt=b"test")
    return [
        judge(rule, each, target=TARGET, exceptions=(), controls={}, today=date(2026, 1, 1))
        for rule, each in zip(rules, seen, strict=True)
    ]


def of_conditions(conditions: tuple[Condition, ...], params: Params) -> list[BoundRule]:
    return [
        as_rule(f"condition-{n}", c.check, render(c.params, params), dict(c.expect))
        for n, c in enumerate(conditions)
    ]


def shown(finding: Finding) -> dict[str, Any]:
    return {
        "status": finding.status,
        "observed": dict(finding.observed),
        "failed": finding.failed,
        "reason": finding.reason,
    }


def main() -> None:
    order = json.load(sys.stdin)
    source = Path("/opt/reconciler/src/runbooks") / f"{order['runbook']}.yaml"
    runbook = Runbook.model_validate(frozen(yaml.safe_load(source.read_text())))
    runbook = runbook.model_copy(update={"settle_s": order.get("settle_s", runbook.settle_s)})
    params, problems = bind(dict(runbook.parameters), frozen(order["params"]))
    assert not problems, problems
    wanted = frozen(order["rule"])
    condition = Condition.model_validate({"reason": "rule", "params": {}} | wanted)
    rule = as_rule("rule", condition.check, condition.params, dict(condition.expect))  # type: ignore[arg-type]
    target = (Liar if order.get("lie") else LinuxTarget)(internal=internal)
    before = look(target, [rule])[0]
    prechecks = look(target, of_conditions(runbook.precheck, params))
    outcome = execute(
        Action(
            id="f" * 64, target=TARGET, tier="L1", rules=("rule",), runbook=runbook.id,
            runbook_digest="a" * 64, params=params,
        ),
        PinnedRunbook(runbook, "a" * 64, approved=True),
        Receipt(),
        target,
        steps.load(),
        look=lambda: {"rule": look(target, [rule])[0]},
        also=lambda: look(target, of_conditions(runbook.also_verify, params)),
        clock=SystemClock(),
        deadline_s=20.0,
    )  # fmt: skip
    report = {
        "before": shown(before),
        "prechecks": [shown(finding) for finding in prechecks],
        "result": outcome.result,
        "reason": outcome.reason,
        "rollback": outcome.rollback,
        "steps": {s.id: [(r.ok, r.reason, r.ms) for r in s.results] for s in outcome.steps},
        "undone": {s.id: [(r.ok, r.reason) for r in s.results] for s in outcome.undone},
        "after": {name: shown(finding) for name, finding in outcome.after.items()},
    }
    print(json.dumps(report))


main()
