"""Restart a unit. A restart cannot be taken back; a unit that did not run before is stopped."""

from reconciler.model.answer import Answers
from reconciler.model.operation import Operation, UnitJob
from reconciler.model.step import StepKind
from reconciler.model.values import Params
from reconciler.steps.shared import take, unit


def do(params: Params, _before: Answers) -> tuple[Operation, ...]:
    """Restart it, or start it when it does not run."""
    return (UnitJob("restart", unit.name(params), take.number(params, "timeout_s")),)


def undo(params: Params, before: Answers) -> tuple[Operation, ...]:
    """Stop it if it was stopped on purpose; one that had failed is left for people to see."""
    inactive = unit.state(params, before).active == "inactive"
    return (UnitJob("stop", unit.name(params)),) if inactive else ()


STEP = StepKind(
    id="unit.restart",
    doc="Restart a unit, or start it when it does not run.",
    params={"unit": unit.UNIT, "timeout_s": unit.TIMEOUT_S},
    before=unit.ask,
    do=do,
    undo=undo,
    reversible=False,
    touches=unit.word,
)
