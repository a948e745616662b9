"""Forget that a unit failed, so that it may be started again (StartLimitBurst)."""

from reconciler.model.answer import Answers
from reconciler.model.operation import Operation, UnitJob
from reconciler.model.step import StepKind
from reconciler.model.values import Params
from reconciler.steps.shared import unit


def do(params: Params, before: Answers) -> tuple[Operation, ...]:
    """Reset it, if it failed."""
    failed = unit.state(params, before).active == "failed"
    return (UnitJob("reset-failed", unit.name(params)),) if failed else ()


STEP = StepKind(
    id="unit.reset_failed",
    doc="Forget that a unit failed; what systemd recorded of the failure is in the journal.",
    params={"unit": unit.UNIT},
    before=unit.ask,
    do=do,
    reversible=False,
)
