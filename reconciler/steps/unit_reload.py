"""Make a unit read its settings again, without stopping it.

What it has read cannot be unread; a runbook that changes settings before a reload begins with
`unit.on_undo`, so that the unit reads the old settings once they are back.
"""

from reconciler.model.answer import Answers
from reconciler.model.operation import Operation, UnitJob
from reconciler.model.step import StepKind
from reconciler.model.values import Params
from reconciler.steps.shared import take, unit


def do(params: Params, _before: Answers) -> tuple[Operation, ...]:
    """Reload it, and wait for the job."""
    return (UnitJob("reload", unit.name(params), take.number(params, "timeout_s")),)


STEP = StepKind(
    id="unit.reload",
    doc="Make a running unit read its settings again.",
    params={"unit": unit.OPTIONAL_UNIT, "timeout_s": unit.TIMEOUT_S},
    before=unit.ask,
    do=do,
    reversible=True,
    touches=unit.word,
)
