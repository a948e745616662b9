"""Run a unit that does one piece of work and ends (``Type=oneshot``): a backup, a renewal."""

from reconciler.model.answer import Answers
from reconciler.model.operation import Operation, UnitJob
from reconciler.model.step import StepKind
from reconciler.model.values import Params
from reconciler.steps.shared import take, unit


def do(params: Params, _before: Answers) -> tuple[Operation, ...]:
    """Start it; the job ends when the work has ended."""
    return (UnitJob("start", unit.name(params), take.number(params, "timeout_s")),)


STEP = StepKind(
    id="unit.run",
    doc="Run a unit that does one piece of work and ends; its work is not undone.",
    params={"unit": unit.UNIT, "timeout_s": unit.TIMEOUT_S},
    do=do,
    reversible=False,
)
