"""Fetch store paths again that are not what they were.

A path that does not verify may be a failing disk or a person's work; the incident stays with people
whatever this does. There is no way back, and none is wanted: what was there was wrong.
"""

from reconciler.model.answer import Answers
from reconciler.model.operation import Operation
from reconciler.model.parameter import Parameter
from reconciler.model.step import StepKind
from reconciler.model.system import STORE_PATH
from reconciler.model.system_operation import RepairPath
from reconciler.model.values import Params
from reconciler.steps.shared import take


def do(params: Params, _before: Answers) -> tuple[Operation, ...]:
    """One path after the other."""
    return tuple(RepairPath(path) for path in take.texts(params, "paths"))


STEP = StepKind(
    id="store.repair",
    doc="Fetch store paths again that are not what they were.",
    params={
        "paths": Parameter(
            type="list[str]",
            doc="Store paths that do not verify.",
            pattern=STORE_PATH,
            max_items=20,
        )
    },
    do=do,
    reversible=False,
)
