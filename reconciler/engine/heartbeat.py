"""A sign of life where a run could not be recorded: the appliance was up, and could not look."""

from reconciler.engine.append import append, append_slim
from reconciler.engine.appliance import Appliance
from reconciler.engine.facts import gather, refuse_jump
from reconciler.engine.sealing import newest_moment
from reconciler.engine.trusted.intent import reason_of
from reconciler.errors import ClockWrong, ReconcilerError
from reconciler.evidence.entry import Kind
from reconciler.model.answer import Answer


def beat(appliance: Appliance, why: ReconcilerError) -> None:
    """Append a heartbeat that names, by a stable code, why there is no run.

    Args:
        appliance: Open.
        why: What kept the run from being recorded. Under a clock that must not sign, nothing is
            signed: the gap will be declared once the clock is right.

    Raises:
        EvidenceError: It cannot be signed.
        MachineError: It cannot be written.
    """
    if isinstance(why, ClockWrong):
        return
    deadline_s = float(appliance.home.settings.probe_deadline_s)
    facts = gather(appliance.clock, appliance.make_target("/", _nothing_known), deadline_s)
    refuse_jump(facts, newest_moment(appliance.ledger, appliance.queue), appliance.past.last_clock)
    body, subject = {"reason": reason_of(why)}, appliance.ledger.head.base.subject
    if not append_slim(appliance, facts, Kind.HEARTBEAT, body, subject=subject, hook=_nobody):
        append(appliance, facts, Kind.HEARTBEAT, body, subject=subject, hook=_nobody)


def _nothing_known(topic: str) -> Answer:
    return Answer("unsupported", reason=f"{topic}: not known before the desired state is")


def _nobody(_where: str) -> None:
    """Nobody watches a sign of life."""
