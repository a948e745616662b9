"""Enable and start the timer of a service, which has the same name; nothing when it has none."""

from reconciler.model.answer import Answers
from reconciler.model.operation import Operation, UnitFile, UnitJob
from reconciler.model.parameter import Parameter
from reconciler.model.probe import Probe
from reconciler.model.step import StepKind
from reconciler.model.values import Params
from reconciler.steps.shared import take, unit


def do(params: Params, before: Answers) -> tuple[Operation, ...]:
    """Enable and start it, as far as it is not so already."""
    timer = _timer(params)
    was = unit.state(timer, before)
    if was.missing:
        return ()
    enable = () if was.enabled else (UnitFile("enable", unit.name(timer)),)
    return (*enable, UnitJob("start", unit.name(timer)))


def undo(params: Params, before: Answers) -> tuple[Operation, ...]:
    """Stop and disable it, as far as it was so before."""
    timer = _timer(params)
    was = unit.state(timer, before)
    if was.missing:
        return ()
    stop = () if was.running else (UnitJob("stop", unit.name(timer)),)
    return (*stop, *((UnitFile("disable", unit.name(timer)),) if was.file == "disabled" else ()))


def ask(params: Params) -> tuple[Probe, ...]:
    """The timer as it is."""
    return unit.ask(_timer(params))


def _timer(params: Params) -> Params:
    return {"unit": take.text(params, "service").removesuffix(".service") + ".timer"}


STEP = StepKind(
    id="timer.start",
    doc="Enable and start the timer of a service.",
    params={
        "service": Parameter(
            type="str", doc="Name of the service.", pattern=r"[A-Za-z0-9:_.\\@-]{1,240}\.service"
        )
    },
    before=ask,
    do=do,
    undo=undo,
    reversible=True,
)
