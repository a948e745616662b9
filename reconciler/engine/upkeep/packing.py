"""Packing loose objects once there are many."""

from reconciler.engine.session import Session
from reconciler.engine.upkeep.ages import Event
from reconciler.ledger.packing import repack as packs

PART = "repack"
ALLOWED_S = 600.0


def repack(session: Session) -> list[Event]:
    """Pack what is loose, if it is worth it.

    Raises:
        EvidenceError: Something is missing or damaged; nothing was removed.
        MachineError: Disk full, read-only, no permission; nothing was removed.
    """
    appliance = session.appliance
    ledger = appliance.ledger
    if appliance.equipment.repack and packs.due(ledger.path):
        with session.options.allowing(ALLOWED_S):
            packs.repack(ledger.path, ledger.branch.ref)
    return [Event(PART)]
