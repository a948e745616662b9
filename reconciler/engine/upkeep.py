"""What keeps a ledger provable between runs: the log's root, signed, once an hour."""

from datetime import timedelta

from reconciler.engine.session import Session
from reconciler.evidence.entry import Kind

CHECKPOINT_EVERY = timedelta(hours=1)
"""How often the root of the log is signed: what a witness or an anchor can vouch for."""


def checkpoint(session: Session) -> None:
    """Sign the root of the log, if that was not done for an hour.

    Raises:
        EvidenceError: It cannot be signed now.
        MachineError: It cannot be written.
    """
    appliance = session.appliance
    newest, now = appliance.past.checkpoint_at, appliance.clock.now()
    if newest is not None and now - newest < CHECKPOINT_EVERY:
        return
    body = {"note": appliance.ledger.note()}
    if session.append_slim(Kind.CHECKPOINT, body) is None:
        session.append(Kind.CHECKPOINT, body)
