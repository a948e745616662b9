"""Appending a person's annotation of an entry."""

from datetime import datetime

from reconciler.errors import InputError
from reconciler.evidence.entry import Clock, Kind, Reference
from reconciler.ledger.store import Ledger, Receipt
from reconciler.report.annotation import body


def annotate(
    ledger: Ledger, seq: int, text: str, by: str, *, at: datetime, clock: Clock, boot_id: str
) -> Receipt:
    """Append an annotation.

    Args:
        ledger: Open.
        seq: Number of the entry that it is about.
        text: What a person has to say about it.
        by: Who says it.
        at: Wall time, timezone-aware.
        clock: What the machine knows of its time.
        boot_id: The kernel's boot id.

    Raises:
        InputError: The text must not be signed, or there is no such entry.
        ClockWrong: The clock went back.
        EvidenceError: It cannot be signed.
        MachineError: It cannot be written.
    """
    # Refused text is refused before anything else is looked at.
    body(Reference(seq, ""), text, by)
    said = body(_reference(ledger, seq), text, by)
    subject = ledger.head.base.subject
    return ledger.append(
        Kind.ANNOTATION, said, at=at, clock=clock, boot_id=boot_id, subject=subject
    )


def _reference(ledger: Ledger, seq: int) -> Reference:
    for record in ledger.entries(since_seq=seq):
        if record.entry.seq == seq:
            return record.reference
    hint = "reconciler evidence query lists entries."
    raise InputError(f"there is no entry {seq} in this ledger", hint=hint)
