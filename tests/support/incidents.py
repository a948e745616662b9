"""Sightings and outcomes for tests of incidents."""

import hashlib
from typing import Any

from reconciler.incident.fingerprint import Sighting
from reconciler.model.finding import Status
from reconciler.model.incident import State
from reconciler.model.operation import OperationResult
from reconciler.model.outcome import Outcome, StepResult
from tests.support.desired_states import make_finding

RULES = ("time", "ssh", "disk")
FAULTS = ("inactive", "missing")
AT_REST: frozenset[State] = frozenset(
    {
        "detected",
        "confirmed",
        "awaiting_approval",
        "waiting",
        "cooldown",
        "soak",
        "escalated",
        "quarantined",
    }
)
"""States in which an incident may be while nothing is being done about it."""


def make_sighting(
    rule: str = "time", status: Status = "fail", fault: str = "inactive", critical: bool = False
) -> Sighting:
    digest = hashlib.sha256(f"{rule} {fault}".encode()).hexdigest()
    return Sighting(
        rule=rule,
        check="LNX-TIME-001",
        status=status,
        severity="critical" if critical else "medium",
        controls=("hipaa:164.312(b)",),
        source="check",
        fingerprint=digest if status == "fail" else "",
    )


def make_outcome(
    result: str,
    *,
    rollback: str = "none",
    used: str = "sysctl.set",
    undone: bool = True,
    after: str | None = "fail",
) -> Outcome:
    """How an action for the rule ``time`` ended: one step was done, and perhaps undone."""
    done = StepResult("one", used, (OperationResult(ok=True, reason="", ms=1),))
    back = StepResult("one", used, (OperationResult(ok=undone, reason="", ms=1),))
    fields: dict[str, Any] = {"result": result, "rollback": rollback}
    seen = {} if after is None else {"time": make_finding("time", after)}  # type: ignore[arg-type]
    return Outcome(
        action="f" * 64,
        runbook="RB-TIME-001",
        rules=("time",),
        reason="",
        steps=(done,),
        undone=(back,) if rollback == "unverified" else (),
        after=seen,
        intent=1,
        **fields,
    )
