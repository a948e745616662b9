"""Activate the system that a release names, in two phases, with an armed way back.

The order is the safeguard: the way back is armed before the first change and taken away last, the
boot entry is written only for what was proven as healthy as what ran before. Where the system runs
already, nothing of it is activated again: only the profile and the boot entry are put right.
"""

from reconciler.model.answer import Answers
from reconciler.model.operation import Operation
from reconciler.model.step import StepKind
from reconciler.model.system_operation import (
    ArmReturn,
    AwaitHealth,
    CheckSwitch,
    DisarmReturn,
    FinishActivation,
    Realise,
    ReturnNow,
    SetProfile,
    SwitchSystem,
)
from reconciler.model.values import Params
from reconciler.steps.shared import system


def do(params: Params, before: Answers) -> tuple[Operation, ...]:
    """Have it, ask it, arm the way back, test it, and only then make it last."""
    path, was = system.path(params), system.standing(before)
    lasting = (SetProfile(path), SwitchSystem(path, "boot"))
    if path == was.running:
        return (Realise(path), *lasting)
    return (
        Realise(path),
        CheckSwitch(path),
        ArmReturn(path, was.running, was.generation),
        SwitchSystem(path, "test"),
        AwaitHealth(path),
        *lasting,
        DisarmReturn(),
    )


def undo(_params: Params, before: Answers) -> tuple[Operation, ...]:
    """Exactly the system that ran, exactly the generation that was recorded."""
    was = system.standing(before)
    return (ReturnNow(was.running, was.generation),)


STEP = StepKind(
    id="system.activate",
    doc="Activate the system of the release; what is not as healthy as before is taken back.",
    params={"system": system.SYSTEM},
    before=system.ask,
    do=do,
    undo=undo,
    resume=lambda _params: (FinishActivation(),),
    reversible=True,
)
