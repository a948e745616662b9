"""Copying what is new to a store that keeps it: daily, and in parts that do not hold up a run."""

from datetime import datetime, timedelta
from itertools import islice

from reconciler.engine.kept import Copied
from reconciler.engine.session import Session
from reconciler.engine.upkeep.ages import Event
from reconciler.evidence.entry import FIRST_SEQ, Kind
from reconciler.ledger.objects import ObjectStore, repository_directory
from reconciler.ledger.packing.select import links
from reconciler.ledger.store import Ledger
from reconciler.ledger.worm.keeper import Point, copy_new

PART = "copies"
EVERY = timedelta(days=1)
RETRY = timedelta(minutes=30)
PORTION = 2000
"""Entries that are copied after one run: more than a day of one a minute, some 4 MB."""
ALLOWED_S = 900.0


def copy(session: Session) -> list[Event]:
    """Copy the entries after the last copy, if that is due, and record where they are.

    Raises:
        EvidenceError: The store does not hold what it should, or the entry cannot be signed.
        MachineError: The store does not answer, or the entry cannot be written.
    """
    appliance, now = session.appliance, session.appliance.clock.now()
    store, copied = appliance.equipment.store, appliance.past.kept.copied
    if store is None or not _due(session, copied, now):
        return []
    appliance.equipment.tried[PART] = now
    ledger = appliance.ledger
    last, tip = _portion(ledger, copied)
    with session.options.allowing(ALLOWED_S):
        body = copy_new(ledger.path, ledger.branch.ref, last, tip, store, now)
    if body is not None:
        session.append(Kind.COPY, body)
    del appliance.equipment.tried[PART]
    return [Event(PART)]


def _due(session: Session, copied: Copied | None, now: datetime) -> bool:
    tried = session.appliance.equipment.tried.get(PART)
    if tried is not None and timedelta(0) <= now - tried < RETRY:
        return False
    if copied is None or session.appliance.ledger.tip.seq - copied.seq > PORTION:
        return True
    return not timedelta(0) <= now - copied.at < EVERY


def _portion(ledger: Ledger, copied: Copied | None) -> tuple[Point | None, Point]:
    """The last copied entry, and the newest that is copied now."""
    head = ledger.head.tip
    first = FIRST_SEQ if copied is None else copied.seq + 1
    until = min(head.entry.seq, first + PORTION - 1)
    last = None
    if copied is not None:
        last = (copied.seq, copied.commit or _commit(ledger, copied.seq))
    tip = head.commit if until == head.entry.seq else _commit(ledger, until)
    return last, (until, tip)


def _commit(ledger: Ledger, seq: int) -> str:
    """The commit of an entry, counted back from the newest."""
    head = ledger.head.tip
    store = ObjectStore(repository_directory(ledger.path))
    (link,) = islice(links(store, head.commit), head.entry.seq - seq, head.entry.seq - seq + 1)
    return link.oid
