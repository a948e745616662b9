"""Make it impossible to start a unit."""

from reconciler.model.answer import Answers
from reconciler.model.operation import Operation, UnitFile
from reconciler.model.step import StepKind
from reconciler.model.values import Params
from reconciler.steps.shared import unit


def do(params: Params, _before: Answers) -> tuple[Operation, ...]:
    """Mask it; a unit that runs goes on until it is stopped."""
    return (UnitFile("mask", unit.name(params)),)


def undo(params: Params, before: Answers) -> tuple[Operation, ...]:
    """Unmask it, unless it was masked."""
    return () if unit.state(params, before).masked else (UnitFile("unmask", unit.name(params)),)


STEP = StepKind(
    id="unit.mask",
    doc="Make it impossible to start a unit.",
    params={"unit": unit.UNIT},
    before=unit.ask,
    do=do,
    undo=undo,
    reversible=True,
    cuts=unit.word,
)
