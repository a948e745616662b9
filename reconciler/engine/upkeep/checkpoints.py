"""Signing the root of the log: what a witness or an anchor can vouch for."""

from datetime import timedelta

from reconciler.engine.append import append, append_slim, seal_waiting
from reconciler.engine.appliance import Appliance
from reconciler.engine.facts import Facts, gather, refuse_jump
from reconciler.engine.sealing import newest_moment
from reconciler.engine.session import Hook, Session
from reconciler.engine.upkeep.ages import Event
from reconciler.evidence.entry import Kind, Subject
from reconciler.ledger.store import Receipt
from reconciler.model.answer import Answer

PART = "checkpoint"


def checkpoint(session: Session) -> list[Event]:
    """Sign the root of the log, if that was not done for as long as the settings say.

    Raises:
        EvidenceError: It cannot be signed now.
        MachineError: It cannot be written.
    """
    if not _due(session):
        return [Event(PART)]
    options = session.options
    sign_root(session.appliance, session.facts, session.subject, options.hook)
    return [Event(PART)]


def checkpoint_now(appliance: Appliance) -> tuple[Receipt, str]:
    """Sign the root of the log because somebody asks for it.

    Returns:
        The receipt, and the text of the signed note.

    Raises:
        ClockWrong: The clock must not be signed under.
        EvidenceError: It cannot be signed.
        MachineError: It cannot be written.
    """
    facts = gather_facts(appliance)
    receipt = sign_root(appliance, facts, appliance.ledger.head.base.subject, _nobody)
    return receipt, str(appliance.ledger.tip.body["note"])


def gather_facts(appliance: Appliance) -> Facts:
    """The machine's time, outside of a run.

    Raises:
        ClockWrong: It must not be signed under.
    """
    deadline_s = float(appliance.home.settings.probe_deadline_s)
    facts = gather(appliance.clock, appliance.make_target("/", _nothing_known), deadline_s)
    refuse_jump(facts, newest_moment(appliance.ledger, appliance.queue), appliance.past.last_clock)
    return facts


def sign_root(appliance: Appliance, facts: Facts, subject: Subject | None, hook: Hook) -> Receipt:
    """Append a checkpoint of everything before it; what waits is sealed first, so it is in it.

    Raises:
        EvidenceError: It cannot be signed.
        MachineError: It cannot be written.
    """
    # The root is of the log as it is once nothing waits any more.
    seal_waiting(appliance, facts, hook)
    body = {"note": appliance.ledger.note()}
    kind = Kind.CHECKPOINT
    slim = append_slim(appliance, facts, kind, body, subject=subject, hook=hook)
    return slim or append(appliance, facts, kind, body, subject=subject, hook=hook)


def _due(session: Session) -> bool:
    appliance, options = session.appliance, session.options
    newest = appliance.past.checkpoint_at
    if newest is None:
        return True
    every = timedelta(seconds=appliance.home.settings.evidence.checkpoint_every_s)
    if options.seal_s and appliance.queue.waiting is None:
        # Right after a seal, so that an hour is one entry and not two.
        every -= timedelta(seconds=options.promise_s or 0)
    return appliance.clock.now() - newest >= every


def _nothing_known(topic: str) -> Answer:
    return Answer("unsupported", reason=f"{topic}: not asked for outside of a run")


def _nobody(_where: str) -> None:
    """Nobody watches."""
