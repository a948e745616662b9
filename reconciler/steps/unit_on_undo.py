"""Nothing now; on the way back, after everything later was undone, a unit reads its settings.

Steps are undone in reverse order, so this step stands before the one that changes the settings:
the file is put back first, then the unit reads it.
"""

from typing import Literal

from reconciler.model.answer import Answers
from reconciler.model.operation import Operation, UnitJob
from reconciler.model.parameter import Parameter
from reconciler.model.step import StepKind
from reconciler.model.values import Params
from reconciler.steps.shared import take, unit


def do(_params: Params, _before: Answers) -> tuple[Operation, ...]:
    """Nothing."""
    return ()


def undo(params: Params, before: Answers) -> tuple[Operation, ...]:
    """Reload or restart it, if it ran before."""
    if not unit.state(params, before).running:
        return ()
    verb: Literal["reload", "restart"] = (
        "reload" if take.text(params, "verb") == "reload" else "restart"
    )
    return (UnitJob(verb, unit.name(params)),)


STEP = StepKind(
    id="unit.on_undo",
    doc="Nothing now; when the runbook is undone, a unit reads its old settings last.",
    params={
        "unit": unit.OPTIONAL_UNIT,
        "verb": Parameter(
            type="str", doc="How it reads them: reload or restart.", enum=("reload", "restart")
        ),
    },
    before=unit.ask,
    do=do,
    undo=undo,
    reversible=True,
    touches=unit.word,
)
