"""Make it possible again to start a unit."""

from reconciler.model.answer import Answers
from reconciler.model.operation import Operation, UnitFile
from reconciler.model.step import StepKind
from reconciler.model.values import Params
from reconciler.steps.shared import unit


def do(params: Params, before: Answers) -> tuple[Operation, ...]:
    """Unmask it, if it is masked."""
    return (UnitFile("unmask", unit.name(params)),) if unit.state(params, before).masked else ()


def undo(params: Params, before: Answers) -> tuple[Operation, ...]:
    """Mask it again, if it was masked."""
    return (UnitFile("mask", unit.name(params)),) if unit.state(params, before).masked else ()


STEP = StepKind(
    id="unit.unmask",
    doc="Make it possible again to start a unit.",
    params={"unit": unit.UNIT},
    before=unit.ask,
    do=do,
    undo=undo,
    reversible=True,
)
