"""Make a unit start at boot."""

from reconciler.model.answer import Answers
from reconciler.model.operation import Operation, UnitFile
from reconciler.model.step import StepKind
from reconciler.model.values import Params
from reconciler.steps.shared import unit


def do(params: Params, _before: Answers) -> tuple[Operation, ...]:
    """Enable it."""
    return (UnitFile("enable", unit.name(params)),)


def undo(params: Params, before: Answers) -> tuple[Operation, ...]:
    """Disable it, if it was disabled."""
    disabled = unit.state(params, before).file == "disabled"
    return (UnitFile("disable", unit.name(params)),) if disabled else ()


STEP = StepKind(
    id="unit.enable",
    doc="Make a unit start at boot.",
    params={"unit": unit.UNIT},
    before=unit.ask,
    do=do,
    undo=undo,
    reversible=True,
)
