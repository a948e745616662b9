"""Pushing what is new to the evidence repository."""

from datetime import datetime, timedelta
from pathlib import Path
from random import SystemRandom

from reconciler.engine.session import Session
from reconciler.engine.upkeep.ages import Event, failed
from reconciler.ledger.remote import memory
from reconciler.ledger.remote.push import PushResult, push_when_due

PART = "push"
LOOK_EVERY = timedelta(hours=1)
"""How often a server is asked that was seen to hold everything: it may have lost something."""
_LOST_HINT = "It has them again. Ask who keeps that repository what happened to it."


def push_file(state: Path) -> Path:
    """Where pushes remember how they went; one place for the daemon and the command line."""
    return state / "evidence-push.json"


def push(session: Session) -> list[Event]:
    """Push, unless everything is there or it is too early after a try that failed.

    Raises:
        EvidenceError: The server holds what this ledger does not; nothing was pushed.
        InputError: The known hosts file cannot be read.
        MachineError: What happened cannot be remembered.
    """
    appliance, now = session.appliance, session.appliance.clock.now()
    outbox, file = appliance.equipment.outbox, push_file(_state(session))
    if outbox is None or _is_there(session, file, now):
        return []
    with session.options.allowing(3 * outbox.limits.timeout_s):
        result = push_when_due(outbox, file, now, SystemRandom())
    if result.done:
        appliance.equipment.tried[PART] = now
    return _events(result)


def _state(session: Session) -> Path:
    home = session.appliance.home
    return home.path(home.settings.state)


def _is_there(session: Session, file: Path, now: datetime) -> bool:
    """Whether the server was seen, not long ago, to hold our newest entry."""
    seen = session.appliance.equipment.tried.get(PART)
    if seen is None or not timedelta(0) <= now - seen < LOOK_EVERY:
        return False
    return memory.load(file).tip == session.appliance.ledger.head.tip.commit


def _events(result: PushResult) -> list[Event]:
    if result.lost:
        message = f"the server had lost {result.lost} entries that it held before"
        return [failed(PART, message, _LOST_HINT)]
    if result.done:
        return [Event(PART)]
    if result.words is None:
        return []
    message, hint = result.words
    codes = f" [{', '.join(result.refusals)}]" if result.refusals else ""
    return [failed(PART, f"{message}{codes} ({result.detail})", hint)]
