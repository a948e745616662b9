"""Start a unit that is meant to stay active."""

from reconciler.model.answer import Answers
from reconciler.model.operation import Operation, UnitJob
from reconciler.model.step import StepKind
from reconciler.model.values import Params
from reconciler.steps.shared import take, unit


def do(params: Params, _before: Answers) -> tuple[Operation, ...]:
    """Start it, and wait for the job."""
    return (UnitJob("start", unit.name(params), take.number(params, "timeout_s")),)


def undo(params: Params, before: Answers) -> tuple[Operation, ...]:
    """Stop it, unless it ran before."""
    return () if unit.state(params, before).running else (UnitJob("stop", unit.name(params)),)


STEP = StepKind(
    id="unit.start",
    doc="Start a unit that is meant to stay active.",
    params={"unit": unit.UNIT, "timeout_s": unit.TIMEOUT_S},
    before=unit.ask,
    do=do,
    undo=undo,
    reversible=True,
)
