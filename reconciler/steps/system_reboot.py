"""Restart the machine into a system, once: the default of the boot loader stays what was proven.

A system that does not come up is gone with the next power cycle. One that comes up is judged by the
first look after the restart, and only then becomes the default.
"""

from reconciler.model.answer import Answers
from reconciler.model.operation import Operation
from reconciler.model.step import StepKind
from reconciler.model.system_operation import (
    ConfirmBoot,
    Realise,
    RebootInto,
    ReturnNow,
    StageBoot,
)
from reconciler.model.values import Params
from reconciler.steps.shared import system


def do(params: Params, before: Answers) -> tuple[Operation, ...]:
    """Have it, write its entry, restart into it."""
    path, was = system.path(params), system.standing(before)
    return (Realise(path), StageBoot(path, was.running, was.generation), RebootInto(path))


def undo(_params: Params, before: Answers) -> tuple[Operation, ...]:
    """Where the restart did not begin: the recorded generation, and no order to boot anything."""
    was = system.standing(before)
    return (ReturnNow(was.running, was.generation),)


STEP = StepKind(
    id="system.reboot",
    doc="Restart the machine once into a system; it becomes the default when it proved itself.",
    params={"system": system.SYSTEM},
    before=system.ask,
    do=do,
    undo=undo,
    resume=lambda _params: (ConfirmBoot(),),
    reversible=True,
    restarts=True,
)
