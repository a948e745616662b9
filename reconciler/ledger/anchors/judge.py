"""What an anchor is worth to an auditor: one question for all methods, and no network.

Rule 1: Nothing is trusted that the auditor did not bring: headers, certificates, identities. What
    cannot be checked with that is a `TimeProof` without a time that says what is missing.
Rule 2: An entry that says more than its proof holds is false, not pending.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.errors import EvidenceError
from reconciler.evidence.canonical import digest
from reconciler.ledger.anchors.extra import needed
from reconciler.ledger.anchors.model import BITCOIN, Anchor, AnchorState, Method, TimeProof

if TYPE_CHECKING:
    from reconciler.keyless.identity import Identity
    from reconciler.ledger.anchors.bitcoin_headers import HeaderFile
    from reconciler.ledger.anchors.rfc3161 import Authority


@dataclass(frozen=True, slots=True)
class Trust:
    """What an auditor brings along.

    Attributes:
        headers: Bitcoin headers; None if there are none.
        authorities: Time stamping authorities by name.
        trusted_root: Whom to believe about sigstore; None if nobody.
        identities: Who may sign checkpoints in CI.
    """

    headers: "HeaderFile | None" = None
    authorities: "Mapping[str, Authority]" = field(default_factory=dict)
    trusted_root: Path | None = None
    identities: "Sequence[Identity]" = ()


def judge(anchor: Anchor, note: bytes, trust: Trust) -> TimeProof:
    """Check an anchor of a checkpoint.

    Args:
        anchor: The body of the entry, as `bodies.read_body` gave it.
        note: The whole signed note of the checkpoint entry that it names.
        trust: What the auditor brings.

    Returns:
        The time that is proven, or none and the reason.

    Raises:
        EvidenceError: The anchor is of another note, says more than its proof, or is false.
        InputError: What the auditor brings cannot be used.
        MachineError: The library that this method needs is not installed.
    """
    if anchor.note_sha256 != digest(note):
        raise _refusal("the anchor is of another note than its checkpoint's")
    match anchor.method:
        case Method.OPENTIMESTAMPS:
            return _opentimestamps(anchor, trust)
        case Method.RFC3161:
            return _rfc3161(anchor, trust)
        case Method.SIGSTORE:
            return _sigstore(anchor, note, trust)


def _opentimestamps(anchor: Anchor, trust: Trust) -> TimeProof:
    with needed():
        from reconciler.ledger.anchors import opentimestamps  # noqa: PLC0415 - lazy: an extra
    if anchor.authority != BITCOIN:
        raise _refusal(f"OpenTimestamps proofs lead to {BITCOIN}, not to {anchor.authority}")
    held = opentimestamps.state(anchor.proof).state
    if held is not anchor.state:
        raise _refusal(f"the anchor says {anchor.state}, its proof is {held}")
    return opentimestamps.verify(anchor.proof, bytes.fromhex(anchor.note_sha256), trust.headers)


def _rfc3161(anchor: Anchor, trust: Trust) -> TimeProof:
    with needed():
        from reconciler.ledger.anchors import rfc3161  # noqa: PLC0415 - lazy: an extra
    if anchor.state is not AnchorState.COMPLETE:
        raise _refusal("a time stamp of an authority is never pending")
    authority = trust.authorities.get(anchor.authority)
    if authority is None:
        return _unproven(anchor, f"no certificates of {anchor.authority} are at hand")
    digest_ = bytes.fromhex(anchor.note_sha256)
    return rfc3161.verify(anchor.proof, digest_, authority=authority)


def _sigstore(anchor: Anchor, note: bytes, trust: Trust) -> TimeProof:
    from reconciler.ledger.anchors import sigstore  # noqa: PLC0415 - lazy: an extra

    if trust.trusted_root is None:
        return _unproven(anchor, "no trusted root for sigstore is at hand")
    return sigstore.verify_anchor(
        anchor, note, trusted_root=trust.trusted_root, identities=trust.identities
    )


def _unproven(anchor: Anchor, reason: str) -> TimeProof:
    return TimeProof(anchor.method, anchor.authority, None, reason)


def _refusal(message: str) -> EvidenceError:
    return EvidenceError(message, hint="An anchor entry is written by the ledger and never edited.")
