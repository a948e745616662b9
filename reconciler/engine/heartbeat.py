"""A sign of life where a run could not be recorded: the appliance was up, and could not look."""

from reconciler.engine.appliance import Appliance
from reconciler.engine.facts import gather, refuse_jump
from reconciler.engine.intent import reason_of
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
    ledger, deadline_s = appliance.ledger, float(appliance.home.settings.probe_deadline_s)
    facts = gather(appliance.clock, appliance.make_target("/", _nothing_known), deadline_s)
    refuse_jump(facts, ledger.tip.time, appliance.past.last_clock)
    at, body = appliance.clock.now(), {"reason": reason_of(why)}
    subject = ledger.head.base.subject
    if ledger.slim_allowed(subject, facts.boot_id):
        receipt = ledger.append_slim(Kind.HEARTBEAT, body, at=at, clock=facts.reading(at))
    else:
        receipt = ledger.append(
            Kind.HEARTBEAT,
            body,
            at=at,
            clock=facts.reading(at),
            boot_id=facts.boot_id,
            subject=subject,
        )
    appliance.past.follow(ledger.tip, receipt.reference)


def _nothing_known(topic: str) -> Answer:
    return Answer("unsupported", reason=f"{topic}: not known before the desired state is")
