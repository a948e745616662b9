"""What the anchors of a log are worth: each one checked with what the auditor brought."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from reconciler.errors import EvidenceError, MachineError
from reconciler.evidence.fault import Code, Fault
from reconciler.evidence.record import Record
from reconciler.ledger.anchors.bodies import read_body
from reconciler.ledger.anchors.judge import Trust, judge
from reconciler.ledger.anchors.model import Anchor, TimeProof


@dataclass(frozen=True, slots=True)
class Weighed:
    """One anchor, checked.

    Attributes:
        size: How many entries of the log it covers.
        anchor: What the entry says.
        proof: What that proves.
        recorded_at: When the entry was written.
    """

    size: int
    anchor: Anchor
    proof: TimeProof
    recorded_at: str


@dataclass(frozen=True, slots=True)
class Anchored:
    """The anchors of one log.

    Attributes:
        weighed: Each one that is not false, oldest first.
        faults: Anchors that are false.
    """

    weighed: tuple[Weighed, ...]
    faults: tuple[Fault, ...]


def weigh(
    anchors: Iterable[Record],
    checkpoints: Mapping[int, Record],
    trust: Trust,
    *,
    own: bool,
    earlier: int = 0,
) -> Anchored:
    """Check anchors against the checkpoints that they name.

    Args:
        anchors: Entries of kind ``anchor``.
        checkpoints: Proven checkpoint entries of the log by sequence number.
        trust: What the auditor brings.
        own: Whether the anchors are entries of this very log, so that each must name a checkpoint
            of it; those of a witness's ledger may be of other logs.
        earlier: How many entries an earlier audit proved: of their checkpoints not all are at hand.
    """
    weighed: list[Weighed] = []
    faults: list[Fault] = []
    for record in anchors:
        try:
            anchor = read_body(dict(record.entry.body))
            checkpoint = checkpoints.get(anchor.checkpoint.seq)
            if checkpoint is None or checkpoint.digest != anchor.checkpoint.sha256:
                if own and checkpoint is None and anchor.checkpoint.seq < earlier:
                    proof = _not_at_hand(anchor)
                    weighed.append(Weighed(anchor.checkpoint.seq, anchor, proof, _at(record)))
                elif own:
                    message = f"anchors checkpoint {anchor.checkpoint.seq}, which is not there"
                    faults.append(Fault(Code.ANCHOR, record.place, message))
                continue
            proof = _proof(anchor, checkpoint, trust)
        except EvidenceError as error:
            faults.append(Fault(Code.ANCHOR, record.place, error.message))
            continue
        size = anchor.checkpoint.seq
        weighed.append(Weighed(size, anchor, proof, _at(record)))
    return Anchored(tuple(weighed), tuple(faults))


def _at(record: Record) -> str:
    return record.entry.recorded_at


def _not_at_hand(anchor: Anchor) -> TimeProof:
    reason = "its checkpoint was proven by an earlier audit and is not at hand: audit without cache"
    return TimeProof(anchor.method, anchor.authority, None, reason)


def _proof(anchor: Anchor, checkpoint: Record, trust: Trust) -> TimeProof:
    try:
        return judge(anchor, str(checkpoint.entry.body["note"]).encode(), trust)
    except MachineError as error:
        reason = f"{error.message}: {error.hint}"
        return TimeProof(anchor.method, anchor.authority, None, reason)
