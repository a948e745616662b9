"""What witnesses say: which notes they vouched for, where that stands, and what it is about.

Nothing is judged here; `reconciler.evidence.testimony` holds what is said against the log.
"""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from typing import Any

from reconciler.errors import EvidenceError
from reconciler.evidence.entry import Kind
from reconciler.evidence.fault import Code, Fault, Place
from reconciler.evidence.note import cosignatures, read_checkpoint
from reconciler.evidence.record import Record
from reconciler.evidence.signers import AllowedSigners

WITNESS = "witness"
"""The client of every witness: its branch is ``refs/heads/witness/<name>``."""


@dataclass(frozen=True, slots=True)
class Saying:
    """A cosigned note, and where it stands.

    Attributes:
        place: The entry it stands in, or the file that the auditor brought.
        note: The note with the cosignature.
        witness: Who is said to have vouched; None for whoever is known.
        body: The body of the entry, None for a file.
        vouched: Whether somebody vouched for it; what a witness was shown and did not vouch for
            counts only if the log signed it.
    """

    place: Place
    note: str
    witness: str | None = None
    body: Mapping[str, Any] | None = None
    vouched: bool = True


def vouchers(note: str, signers: AllowedSigners) -> dict[str, int]:
    """Which listed witnesses (``witness/<name>``) cosigned a note, and when.

    A witness may be listed with several keys: what it vouched for with an older one still counts.

    Raises:
        EvidenceError: A cosignature by a listed key does not fit.
    """
    listed: list[dict[str, bytes]] = [{}]
    for signer in signers.signers:
        if signer.principal.startswith(f"{WITNESS}/"):
            free = next((one for one in listed if signer.principal not in one), None)
            if free is None:
                listed.append(free := {})
            free[signer.principal] = signer.public
    found: dict[str, int] = {}
    for witnesses in listed:
        found |= cosignatures(note, witnesses)
    return found


def sayings(records: Iterable[Record]) -> list[Saying]:
    """What witnesses vouched for, in the entries of ledgers."""
    found = []
    for record in records:
        entry = record.entry
        if entry.kind is Kind.COSIGNATURE:
            name = f"{WITNESS}/{entry.host}" if entry.client == WITNESS else None
            found.append(Saying(record.place, str(entry.body.get("note")), name, dict(entry.body)))
    return found


def refused(records: Iterable[Record]) -> list[Saying]:
    """What witnesses were shown and did not vouch for, in the entries of their ledgers."""
    found = []
    for record in records:
        entry, shown = record.entry, record.entry.body.get("shown")
        if entry.kind is Kind.REFUSAL and entry.client == WITNESS and isinstance(shown, Mapping):
            name, note = f"{WITNESS}/{entry.host}", str(shown.get("note"))
            found.append(Saying(record.place, note, name, dict(entry.body), vouched=False))
    return found


def sizes_of(origin: str, marks: Iterable[Record], said: Iterable[Saying]) -> set[int]:
    """Sizes of a log whose roots have to be known to judge what is said of it."""
    sizes = {record.entry.seq for record in marks if record.entry.kind is Kind.CHECKPOINT}
    for saying in said:
        try:
            claimed = read_checkpoint(saying.note)
        except EvidenceError:
            continue
        if claimed.origin == origin:
            sizes.add(claimed.size)
    return sizes


def gone(said: Iterable[Saying], origins: Set[str]) -> list[Fault]:
    """What is said of logs that are not there at all: such a log is shorter than any.

    A witness's ledger also says what it vouched for of other clients, who have other repositories.

    Args:
        said: What witnesses say.
        origins: Names of the logs that are there.
    """
    clients = {origin.rpartition("/")[0] for origin in origins}
    faults = []
    for saying in said:
        if not saying.vouched:
            continue
        try:
            claimed = read_checkpoint(saying.note)
        except EvidenceError as error:
            faults.append(Fault(Code.COSIGNATURE, saying.place, error.message))
            continue
        ours = saying.body is None or claimed.origin.rpartition("/")[0] in clients
        if ours and claimed.origin not in origins:
            message = f"{claimed.size} entries of {claimed.origin} were seen; no such log is here"
            faults.append(Fault(Code.SHORTER, saying.place, message))
    return faults
