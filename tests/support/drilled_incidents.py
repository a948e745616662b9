"""What the ledger of a drill says of incidents."""

from reconciler.engine.past import recall
from reconciler.incident.register import Register
from reconciler.model.incident import Incident
from tests.support.drill import Drill


def steps(drill: Drill, rule: str) -> list[tuple[str, str, str]]:
    """Every transition of a rule's incidents: kind of entry, state, reason."""
    return [
        (record.entry.kind.value, step["to"], step["reason"])
        for record in drill.records()
        for step in record.entry.body.get("incidents", [])
        if step["rule"] == rule
    ]


def states(drill: Drill, rule: str) -> list[str]:
    return [state for _kind, state, _reason in steps(drill, rule)]


def register(drill: Drill) -> Register:
    with drill.open() as appliance:
        assert recall(appliance.ledger).register == appliance.past.register
        return appliance.past.register


def incident(drill: Drill, rule: str) -> Incident:
    return register(drill).open[rule]
