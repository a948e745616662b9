"""Whether an entry follows the one before it: number, digest, time and open intents.

Every rule is about two neighbours, so by induction it holds for the whole history, in either
direction, and costs the same however long the history is.
"""

from reconciler.evidence.fault import Code, Fault
from reconciler.evidence.record import Record
from reconciler.evidence.statement import Kind, Reference


def open_after(record: Record) -> tuple[Reference, ...]:
    """Intents that are open once an entry is written, its own included."""
    if record.entry.kind is Kind.INTENT:
        return (*record.entry.open, record.reference)
    return record.entry.open


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
    return faults + _intents(child, parent)


def _intents(child: Record, parent: Record) -> list[Fault]:
    available, closes = open_after(parent), child.entry.closes
    if closes is not None and closes not in available:
        message = f"closes intent {closes.seq}, which is not open"
        return [Fault(Code.INTENT, child.place, message)]
    if child.entry.open != tuple(reference for reference in available if reference != closes):
        message = "does not name the intents that are open"
        return [Fault(Code.INTENT, child.place, message)]
    return []
