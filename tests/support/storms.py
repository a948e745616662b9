"""Desired states that can be simulated fast: services with one runbook, and what a storm leaves."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from reconciler.checks import catalogue as checks_catalogue
from reconciler.engine.simulation.simulate import Simulation, simulate
from reconciler.engine.simulation.synthetic import BEGIN, Drift, Stream
from reconciler.evidence.record import Record
from reconciler.model.desired import BoundRemedy, BoundRule, DesiredState
from reconciler.report.simulation import Tally
from reconciler.steps import catalogue as steps_catalogue
from tests.support.desired_states import make_desired, make_rule

CHECKS, STEPS = checks_catalogue.load(), steps_catalogue.load()
EXPLAINED = frozenset({"closed", "soak", "resolved_itself", "waiting", "escalated", "cooldown",
                       "awaiting_approval", "quarantined"})  # fmt: skip
"""States in which an incident is over, or says what it waits for."""


def service(number: int, **changes: Any) -> BoundRule:
    remedy = BoundRemedy(runbook="RB-TIME-001", params={"unit": f"unit-{number}.service"})
    return make_rule(f"unit-{number}", **({"remedy": remedy} | changes))


def services(count: int, **changes: Any) -> DesiredState:
    return make_desired(rules=[service(number) for number in range(count)], **changes)


def drift(at_min: int, rule: str = "unit-0", **changes: Any) -> Drift:
    fields: dict[str, Any] = {
        "at": BEGIN + timedelta(minutes=at_min), "rule": rule, "observed": {}, "lasts": None,
        "fix": "heals",
    }  # fmt: skip
    return Drift(**(fields | changes))


def stream(drifts: Sequence[Drift], days: int = 1) -> Stream:
    return Stream(BEGIN, BEGIN + timedelta(days=days), tuple(drifts))


def played(
    desired: DesiredState, drifts: Sequence[Drift], days: int = 1, **how: Any
) -> tuple[Simulation, list[Record]]:
    records: list[Record] = []
    made = simulate(desired, stream(drifts, days), CHECKS, STEPS, watch=records.append, **how)
    return made, records


def unexplained(tally: Tally) -> dict[str, str]:
    """Incidents that are neither over nor say what they wait for."""
    return {
        incident: where.state
        for incident, where in tally.incidents.items()
        if where.state not in EXPLAINED or not where.reason
    }


def too_soon(records: Sequence[Record]) -> list[str]:
    """Acts that were repeated inside a cooldown, reckoned from entries by the published numbers.

    300 s x 2^failures, at most 6 h, from the end of the last attempt; failures are forgotten by a
    success and by a quiet day.
    """
    found, last, failures = [], dict[str, datetime](), dict[str, int]()
    for entry in (record.entry for record in records):
        if entry.kind.value == "intent":
            action, at = entry.body["action"]["id"], entry.time
            since = at - last.get(action, datetime.min.replace(tzinfo=UTC))
            failures[action] = 0 if since >= timedelta(days=1) else failures.get(action, 0)
            if since < timedelta(seconds=min(300 * 2 ** failures[action], 6 * 3600)):
                found.append(f"entry {entry.seq} repeats {action[:8]} after {since}")
            last[action] = at
        elif entry.kind.value == "outcome":
            action = entry.body["action"]
            last[action] = entry.time
            healed = entry.body["result"] == "healed"
            failures[action] = 0 if healed else failures.get(action, 0) + 1
    return found
