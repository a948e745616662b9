"""Activate the system that runs already once more, and restart what takes settings over.

It puts back what was changed beside the configuration: links under /etc, users, kernel parameters.
There is no way back, because there is nothing else to go to: the system runs already.
"""

from reconciler.errors import InputError
from reconciler.model.answer import Answers
from reconciler.model.operation import Operation
from reconciler.model.step import StepKind
from reconciler.model.system_operation import Realise, Reapply, SwitchSystem
from reconciler.model.values import Params
from reconciler.steps.shared import system, take


def do(params: Params, before: Answers) -> tuple[Operation, ...]:
    """See that it is whole, activate it, restart the units.

    Raises:
        InputError: Another system runs; that one is not put aside unasked.
    """
    path = take.text(params, "running")
    if system.standing(before).running != path:
        raise InputError(
            f"{path} is not the system that runs",
            hint="The rule about the running system goes first: RB-DRIFT-001 or RB-UPDATE-001.",
        )
    units = take.texts(params, "reapply")
    again = (Realise(path), SwitchSystem(path, "test"))
    return (*again, Reapply(path, units)) if units else again


STEP = StepKind(
    id="system.reapply",
    doc="Activate the system that runs once more, and restart what takes settings over.",
    params={"running": system.SYSTEM, "reapply": system.UNITS},
    before=system.ask,
    do=do,
    reversible=False,
    touches=lambda params: frozenset(f"unit:{name}" for name in take.texts(params, "reapply")),
)
