"""Wait until a unit is in one of some states."""

from reconciler.model.answer import Answers
from reconciler.model.operation import Operation, WaitUntil
from reconciler.model.parameter import Parameter
from reconciler.model.probe import UnitStatus
from reconciler.model.step import StepKind
from reconciler.model.values import Params
from reconciler.steps.shared import take, unit


def do(params: Params, _before: Answers) -> tuple[Operation, ...]:
    """Ask until it is so, or the time is up, which is a failed step."""
    name = unit.name(params)
    return (
        WaitUntil(
            UnitStatus((name,)),
            f"{name}.active_state",
            take.texts(params, "states"),
            take.number(params, "timeout_s"),
        ),
    )


STEP = StepKind(
    id="wait.until",
    doc="Wait until a unit is in one of some states.",
    params={
        "unit": unit.UNIT,
        "states": Parameter(
            type="list[str]",
            doc="Active states to wait for.",
            required=False,
            default=("active",),
            enum=("active", "inactive", "failed"),
        ),
        "timeout_s": Parameter(
            type="int",
            doc="Longest wait, seconds.",
            required=False,
            default=30,
            minimum=1,
            maximum=600,
        ),
    },
    do=do,
    reversible=True,
)
