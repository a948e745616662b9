"""What is known of the copies of a log: as its entries record them, and as the store shows them."""

from collections.abc import Iterable
from datetime import datetime

from reconciler.errors import EvidenceError
from reconciler.evidence.claims import CopyClaim
from reconciler.evidence.fault import Code, Fault, Place
from reconciler.evidence.record import Record
from reconciler.ledger.worm import bundles
from reconciler.ledger.worm.audit import audit_copy
from reconciler.ledger.worm.body import Copy, read_body
from reconciler.ledger.worm.store import WormStore


def copies(
    records: Iterable[Record], client: str, host: str, store: WormStore | None, now: datetime | None
) -> tuple[CopyClaim, list[Fault]]:
    """Judge the copies of one appliance's log.

    Args:
        records: Its entries of kind ``copy``.
        client: One clinic.
        host: The appliance.
        store: The bucket, if it may be asked.
        now: Wall time, timezone-aware; a store is asked only with it.

    Raises:
        MachineError: The store does not answer, or does not let us see.
    """
    faults: list[Fault] = []
    recorded: list[Copy] = []
    for record in records:
        try:
            recorded.append(read_body(record.entry.body, client, host))
        except EvidenceError as error:
            faults.append(Fault(Code.COPY, record.place, error.message))
    checked = False
    if store is not None and now is not None and recorded:
        faults += _ask(recorded, client, host, store, now)
        checked = True
    return _claim(recorded, checked), faults


def _ask(
    recorded: list[Copy], client: str, host: str, store: WormStore, now: datetime
) -> list[Fault]:
    place = (store.settings.endpoint, store.settings.bucket)
    ours = [copy for copy in recorded if (copy.endpoint, copy.bucket) == place]
    expected = [stored for copy in ours for stored in copy.objects]
    under = bundles.folder(store.settings.prefix, client, host)
    found = [
        Fault(
            Code.COPY,
            Place(path=f"{place[1]}/{one.key}"),
            f"version {one.version_id}: {one.message}" if one.version_id else one.message,
        )
        for one in audit_copy(store, expected, now, under=under)
    ]
    elsewhere = len(recorded) - len(ours)
    if elsewhere:
        message = f"{elsewhere} copies are recorded in another store than the one that was asked"
        found.append(Fault(Code.COPY, Place(path=f"{place[0]}/{place[1]}"), message))
    return found


def _claim(recorded: list[Copy], checked: bool) -> CopyClaim:
    stored = [one for copy in recorded for one in copy.objects]
    stores = sorted({f"{copy.bucket} at {copy.endpoint}" for copy in recorded})
    until = min((one.retain_until for one in stored), default=None)
    return CopyClaim(
        upto=max((copy.covers[1] for copy in recorded), default=None),
        objects=len(stored),
        store=", ".join(stores),
        retain_until="" if until is None else f"{until:%Y-%m-%d}",
        holes=len(bundles.holes(copy.covers for copy in recorded)),
        checked=checked,
    )
