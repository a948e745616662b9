"""Bodies of ledger entries: JSON values only, no floats, no free text from machines.

Every text that may quote somebody goes through `reconciler.model.scrub` here, on its last step
before it is signed, whoever made it. ``own`` is what the desired state in force says and may
therefore be said again; without it less is kept, never more.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.evidence.entry import stamp
from reconciler.model.finding import Finding
from reconciler.model.outcome import Outcome, StepResult
from reconciler.model.plan import Action, Plan
from reconciler.model.run import Acceptance, Hold, IntentStatus, NotDone, Recovered, RunReport
from reconciler.model.scrub import NOTHING, Own, scrub, scrub_value
from reconciler.model.values import Value
from reconciler.model.verdict import Verdict

Body = dict[str, Any]

MOST_PATHS = 64
"""Paths of a hold that evidence lists."""

MOST_AGREED = 256
"""Steps whose approvals a run lists; the fleet repository holds them all."""


def _json(value: Value) -> Any:
    return list(value) if isinstance(value, tuple) else value


def finding_body(finding: Finding, own: Own = NOTHING) -> Body:
    """A finding, complete but for what may identify a person."""
    accepted = finding.risk_accepted
    return {
        "rule": finding.rule,
        "check": finding.check,
        "status": finding.status,
        "severity": finding.severity,
        "controls": list(finding.controls),
        "observed": {
            name: _json(scrub_value(value, own)) for name, value in finding.observed.items()
        },
        "expected": dict(finding.expected),
        "failed": list(finding.failed),
        "reason": scrub(finding.reason, own),
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
        # What proposals count outcomes by; absent where rules' own remedies chose.
        **({"healing": list(action.healing)} if action.healing else {}),
    }


def verdict_body(verdict: Verdict, own: Own = NOTHING) -> Body:
    """A guard's word."""
    return {
        "guard": verdict.guard,
        "ruling": verdict.ruling,
        "reason": scrub(verdict.reason, own),
        "retry_after_s": verdict.retry_after_s,
    }


def plan_body(plan: Plan) -> Body:
    """A plan: what would be done, and what is left to people."""
    return {
        "digest": plan.digest,
        "actions": [action_body(action) for action in plan.actions],
        "unplanned": [{"rule": left.rule, "reason": left.reason} for left in plan.unplanned],
    }


def _steps_body(steps: Sequence[StepResult], own: Own) -> list[Body]:
    return [
        {
            "id": step.id,
            "kind": step.kind,
            "results": [
                {"ok": r.ok, "reason": scrub(r.reason, own), "ms": r.ms} for r in step.results
            ],
        }
        for step in steps
    ]


def not_done_body(left: NotDone, own: Own = NOTHING) -> Body:
    """An action that was not begun, and why."""
    return {
        "action": left.action.id,
        "runbook": left.action.runbook,
        "rules": list(left.action.rules),
        "result": left.result,
        "guard": left.verdict.guard,
        "reason": scrub(left.verdict.reason, own),
        "retry_after_s": left.verdict.retry_after_s,
    }


def intent_status_body(intent: IntentStatus, own: Own = NOTHING) -> Body:
    """The desired state in force, and what became of the newest one."""
    accepted = {"commit": intent.commit, "counter": intent.counter} if intent.commit else None
    refused = None
    if intent.refused is not None:
        refused = {
            "reason": intent.refused,
            "commit": intent.refused_commit,
            "message": scrub(intent.message, own),
        }
    limit_s = None if intent.freshness is None else intent.freshness.limit_s
    body = {
        "accepted": accepted,
        "fetched": intent.fetched,
        "refused": refused,
        "freshness_limit_s": limit_s,
        "holds": [_hold_body(hold, own) for hold in intent.holds],
    }
    if intent.acceptance is not None:
        body["acceptance"] = _acceptance_body(intent.acceptance)
    if intent.system is not None:
        body["system"] = intent.system.to_body()
    return body


def _hold_body(hold: Hold, own: Own) -> Body:
    """Without its message, which holds an age: a run that repeats another has the same body."""
    return {"reason": hold.reason, "since": stamp(hold.since), "paths": held_paths(hold, own)}


def held_paths(hold: Hold, own: Own = NOTHING) -> list[str]:
    """The paths in question, as far as they may be said again; at most `MOST_PATHS`."""
    return [str(scrub_value(path, own)) for path in hold.paths[:MOST_PATHS]]


def _acceptance_body(acceptance: Acceptance) -> Body:
    """What stood behind an acceptance: said once, by the run that accepted."""
    recovery = acceptance.recovery
    return {
        "previous": acceptance.previous,
        "signer": acceptance.signer,
        "commits": acceptance.commits,
        "agreed": [
            {"rule": one.rule, "commit": one.commit, "people": list(one.people)}
            for one in acceptance.agreed[:MOST_AGREED]
        ],
        "recovery": None if recovery is None else recovery_body(recovery),
    }


def recovery_body(recovery: Recovered) -> Body:
    """A signed recovery that was used."""
    return {
        "sha256": recovery.statement,
        "issued": stamp(recovery.issued),
        "people": list(recovery.people),
    }


def run_body(report: RunReport) -> Body:
    """What a run saw and did; the engine adds times, clock, memory and since-when."""
    own = report.own
    return {
        "run": report.run,
        "mode": report.mode,
        "intent": intent_status_body(report.intent, own),
        "census": dict(report.census),
        "findings": [finding_body(finding, own) for finding in report.findings],
        "plan": plan_body(report.plan),
        "not_done": [not_done_body(left, own) for left in report.not_done],
        "outcomes": [
            {"action": o.action, "runbook": o.runbook, "result": o.result}
            for o in (*report.interrupted, *report.outcomes)
        ],
    }


def outcome_body(run: str, outcome: Outcome, own: Own = NOTHING) -> Body:
    """How an action ended."""
    return {
        "run": run,
        "action": outcome.action,
        "runbook": outcome.runbook,
        "rules": list(outcome.rules),
        "result": outcome.result,
        "reason": scrub(outcome.reason, own),
        "steps": _steps_body(outcome.steps, own),
        "undone": _steps_body(outcome.undone, own),
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
