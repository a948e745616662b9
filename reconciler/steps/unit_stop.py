"""Stop a unit."""

from reconciler.model.answer import Answers
from reconciler.model.operation import Operation, UnitJob
from reconciler.model.step import StepKind
from reconciler.model.values import Params
from reconciler.steps.shared import take, unit


def do(params: Params, _before: Answers) -> tuple[Operation, ...]:
    """Stop it, and wait for the job."""
    return (UnitJob("stop", unit.name(params), take.number(params, "timeout_s")),)


def undo(params: Params, before: Answers) -> tuple[Operation, ...]:
    """Start it, if it ran before."""
    return (UnitJob("start", unit.name(params)),) if unit.state(params, before).running else ()


STEP = StepKind(
    id="unit.stop",
    doc="Stop a unit.",
    params={"unit": unit.UNIT, "timeout_s": unit.TIMEOUT_S},
    before=unit.ask,
    do=do,
    undo=undo,
    reversible=True,
    cuts=unit.word,
)
