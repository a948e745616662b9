"""Whether an entry follows the one before it: number, digest, time, key, intents, base and gap.

Every rule is about two neighbours, so by induction it holds for the whole history, in either
direction, and costs the same however long the history is.
"""

from reconciler.evidence import moments
from reconciler.evidence.entry import Kind, Reference
from reconciler.evidence.fault import Code, Fault
from reconciler.evidence.key_life import succession
from reconciler.evidence.record import Record


def open_after(record: Record) -> tuple[Reference, ...]:
    """Intents that are open once an entry is written, its own included."""
    if record.entry.kind is Kind.INTENT:
        return (*record.entry.open, record.reference)
    return record.entry.open


def base_after(record: Record) -> int:
    """The base of a slim entry that would come after an entry."""
    return record.entry.seq if record.entry.base is None else record.entry.base


def ended_at(record: Record) -> str:
    """When the last of what an entry says happened."""
    return moments.ended_at(record.entry)


def follows(child: Record, parent: Record) -> list[Fault]:
    """Everything that is wrong between an entry and the one before it."""
    faults = []
    new, old = child.entry, parent.entry
    if new.seq != old.seq + 1:
        message = f"sequence number {new.seq} comes after {old.seq}"
        faults.append(Fault(Code.SEQUENCE, child.place, message))
    if new.previous != parent.digest:
        message = f"names {new.previous} as the statement before it, which is {parent.digest}"
        faults.append(Fault(Code.CHAIN, child.place, message))
    # The form has a fixed width, so text sorts as time does.
    if new.recorded_at < old.recorded_at:
        message = f"{new.recorded_at} comes after {old.recorded_at}"
        faults.append(Fault(Code.TIME, child.place, message))
    elif _too_early(child, parent):
        message = f"stands for runs before {ended_at(parent)}, when the entry before it ended"
        faults.append(Fault(Code.TIME, child.place, message))
    if new.base is not None and new.base != base_after(parent):
        message = f"takes {new.base} as its base, which is {base_after(parent)}"
        faults.append(Fault(Code.BASE, child.place, message))
    if new.kind is Kind.GAP and new.body.get("from") != ended_at(parent):
        message = f"declares a gap that does not begin at {ended_at(parent)}, as it did"
        faults.append(Fault(Code.GAP, child.place, message))
    if child.public == parent.public:
        # Another key is what `key_life` follows over the whole; the same one it does not see.
        faults += succession(child, parent)
    return faults + _intents(child, parent)


def _too_early(child: Record, parent: Record) -> bool:
    """Whether an entry seals runs of a time that the one before it has spoken for."""
    entry = child.entry
    if not entry.slim or entry.body.keys().isdisjoint(("ticks", "ago_ms")):
        return False
    found = moments.moments(entry)
    return found is not None and found[0] < moments.ended(parent.entry)


def _intents(child: Record, parent: Record) -> list[Fault]:
    available, closes = open_after(parent), child.entry.closes
    if closes is not None and closes not in available:
        message = f"closes intent {closes.seq}, which is not open"
        return [Fault(Code.INTENT, child.place, message)]
    if child.entry.open != tuple(reference for reference in available if reference != closes):
        message = "does not name the intents that are open"
        return [Fault(Code.INTENT, child.place, message)]
    return []
