"""Checkpoints and what stands beside them, as files: what an auditor checks without our programs.

Of each log: the newest checkpoint, what each witness cosigned last, and the best proof of time of
each authority with the note that it is of.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from reconciler.errors import EvidenceError
from reconciler.evidence import layout
from reconciler.evidence.note import read_checkpoint
from reconciler.evidence.record import Record
from reconciler.evidence.signers import AllowedSigners
from reconciler.evidence.testimony import Cosigned, Saying, sayings, vouchers
from reconciler.ledger.anchored import Weighed
from reconciler.ledger.anchors.model import AnchorState, Method
from reconciler.ledger.kit.nouns import End
from reconciler.ledger.verify import Verification
from reconciler.report.kit_page import Stamped

FOLDER = "checkpoints"

_SUFFIX = {Method.RFC3161: "tsr", Method.OPENTIMESTAMPS: "ots", Method.SIGSTORE: "sigstore.json"}


@dataclass(slots=True)
class Notes:
    """Files with notes and proofs.

    Attributes:
        files: Name to content.
        stamps: What a page says about time stamps.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    stamps: list[Stamped] = field(default_factory=list)


def notes_of(
    result: Verification,
    ends: Sequence[End],
    said: Sequence[Saying],
    signers: AllowedSigners,
    roots: Sequence[str],
) -> Notes:
    """Notes and proofs of the logs in a kit.

    Args:
        result: The verification of the kit; what does not hold there is left out.
        ends: The branches of appliances.
        said: Cosigned notes that the branches of the kit do not hold.
        signers: Who may sign.
        roots: Names of the files with trust anchors.
    """
    notes = Notes()
    marks = [mark for report in result.branches for mark in report.marks]
    every = [*sayings(marks), *said]
    for end in ends:
        heard = result.testimonies[end.ref]
        place = f"{FOLDER}/{end.name}"
        if heard.checkpoints:
            _add(notes, place, heard.checkpoints[max(heard.checkpoints)])
        for cosigned in _newest(heard.cosigned):
            note = _saying(end, cosigned, every, signers)
            name = cosigned.witness.replace("/", "-")
            notes.files[f"{place}/{cosigned.size:08d}.{name}.note"] = note.encode()
        for weighed in _best(result.anchored[end.ref].weighed):
            stamped = _add(notes, place, heard.checkpoints[weighed.size])
            _proof(notes, end, stamped, weighed, roots)
    return notes


def _add(notes: Notes, place: str, checkpoint: Record) -> str:
    name = f"{place}/{checkpoint.entry.seq:08d}.note"
    notes.files[name] = str(checkpoint.entry.body["note"]).encode()
    return name


def _proof(notes: Notes, end: End, note: str, weighed: Weighed, roots: Sequence[str]) -> None:
    anchor, proven = weighed.anchor, weighed.proof.not_after
    name = f"{note.removesuffix('note')}{anchor.authority}.{_SUFFIX[anchor.method]}"
    notes.files[name] = anchor.proof
    if anchor.method is Method.RFC3161:
        root = f"roots/tsa/{anchor.authority}.pem"
        notes.stamps.append(
            Stamped(
                branch=end.name,
                seq=weighed.size,
                note=note,
                token=name,
                root=root if root in roots else None,
                at=None if proven is None else int(proven.timestamp()),
            )
        )


def _newest(cosigned: Sequence[Cosigned]) -> Iterator[Cosigned]:
    """What each witness vouched for last; they come oldest first."""
    yield from {one.witness: one for one in cosigned}.values()


def _best(weighed: Sequence[Weighed]) -> list[Weighed]:
    """The best proof of each authority: one that holds, else a whole one; the newest of those."""
    best: dict[tuple[Method, str], Weighed] = {}
    for one in sorted(weighed, key=_worth):
        best[one.anchor.method, one.anchor.authority] = one
    return [best[key] for key in sorted(best)]


def _worth(one: Weighed) -> tuple[bool, bool, int, str]:
    complete = one.anchor.state is AnchorState.COMPLETE
    return one.proof.proven, complete, one.size, one.recorded_at


def _saying(end: End, wanted: Cosigned, said: Sequence[Saying], signers: AllowedSigners) -> str:
    """The note with a cosignature that was found to hold."""
    origin = layout.origin(end.client, end.host)
    for saying in said:
        claimed = read_checkpoint(saying.note)
        if (claimed.origin, claimed.size) != (origin, wanted.size):
            continue
        if vouchers(saying.note, signers).get(wanted.witness) == wanted.time:
            return saying.note
    message = f"{wanted.witness} was heard about {end.name}, and no note of it is there"
    raise EvidenceError(message, hint="Please report this.")
