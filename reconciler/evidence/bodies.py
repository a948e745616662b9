"""Bodies of ledger entries: JSON values only, no floats, no free text from machines."""

from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.model.finding import Finding
from reconciler.model.outcome import Outcome, StepResult
from reconciler.model.plan import Action, Plan
from reconciler.model.run import IntentStatus, NotDone, RunReport
from reconciler.model.values import Value, plain
from reconciler.model.verdict import Verdict

Body = dict[str, Any]


def _json(value: Value) -> Any:
    return list(value) if isinstance(value, tuple) else value


def finding_body(finding: Finding) -> Body:
    """A finding, complete."""
    accepted = finding.risk_accepted
    return {
        "rule": finding.rule,
        "check": finding.check,
        "status": finding.status,
        "severity": finding.severity,
        "controls": list(finding.controls),
        "observed": {name: _json(value) for name, value in finding.observed.items()},
        "expected": dict(finding.expected),
        "failed": list(finding.failed),
        "reason": finding.reason,
        "exception": finding.exception,
        "raw_digest": finding.raw_digest,
        **({} if accepted is None else {"risk_accepted_noncompliant": accepted}),
    }


def action_body(action: Action) -> Body:
    """An action, complete."""
    return {
        "id": action.id,
        "target": action.target,
        "tier": action.tier,
        "rules": list(action.rules),
        "runbook": action.runbook,
        "runbook_digest": action.runbook_digest,
        "params": {name: _json(value) for name, value in action.params.items()},
    }


def verdict_body(verdict: Verdict) -> Body:
    """A guard's word."""
    return {
        "guard": verdict.guard,
        "ruling": verdict.ruling,
        "reason": verdict.reason,
        "retry_after_s": verdict.retry_after_s,
    }


def plan_body(plan: Plan) -> Body:
    """A plan: what would be done, and what is left to people."""
    return {
        "digest": plan.digest,
        "actions": [action_body(action) for action in plan.actions],
        "unplanned": [{"rule": left.rule, "reason": left.reason} for left in plan.unplanned],
    }


def _steps_body(steps: Sequence[StepResult]) -> list[Body]:
    return [
        {
            "id": step.id,
            "kind": step.kind,
            "results": [{"ok": r.ok, "reason": plain(r.reason), "ms": r.ms} for r in step.results],
        }
        for step in steps
    ]


def not_done_body(left: NotDone) -> Body:
    """An action that was not begun, and why."""
    return {
        "action": left.action.id,
        "runbook": left.action.runbook,
        "rules": list(left.action.rules),
        "result": left.result,
        "guard": left.verdict.guard,
        "reason": left.verdict.reason,
        "retry_after_s": left.verdict.retry_after_s,
    }


def intent_status_body(intent: IntentStatus) -> Body:
    """The desired state in force, and what became of the newest one."""
    accepted = {"commit": intent.commit, "counter": intent.counter} if intent.commit else None
    refused = None
    if intent.refused is not None:
        refused = {
            "reason": intent.refused,
            "commit": intent.refused_commit,
            "message": plain(intent.message),
        }
    return {"accepted": accepted, "fetched": intent.fetched, "refused": refused}


def run_body(report: RunReport) -> Body:
    """What a run saw and did; the engine adds times, clock, memory and since-when."""
    return {
        "run": report.run,
        "mode": report.mode,
        "intent": intent_status_body(report.intent),
        "census": dict(report.census),
        "findings": [finding_body(finding) for finding in report.findings],
        "plan": plan_body(report.plan),
        "not_done": [not_done_body(left) for left in report.not_done],
        "outcomes": [
            {"action": o.action, "runbook": o.runbook, "result": o.result}
            for o in (*report.interrupted, *report.outcomes)
        ],
    }


def outcome_body(run: str, outcome: Outcome) -> Body:
    """How an action ended."""
    return {
        "run": run,
        "action": outcome.action,
        "runbook": outcome.runbook,
        "rules": list(outcome.rules),
        "result": outcome.result,
        "reason": plain(outcome.reason),
        "steps": _steps_body(outcome.steps),
        "undone": _steps_body(outcome.undone),
        "rollback": outcome.rollback,
        "after": {rule: finding.status for rule, finding in outcome.after.items()},
    }


def since_body(findings: Sequence[Finding], before: Mapping[str, Any], seq: int, at: str) -> Body:
    """For each rule: its status, and the entry that first showed it without a break."""
    since: Body = {}
    for finding in findings:
        last = before.get(finding.rule)
        if isinstance(last, dict) and last.get("status") == finding.status:
            since[finding.rule] = last
        else:
            since[finding.rule] = {"status": finding.status, "seq": seq, "at": at}
    return since
