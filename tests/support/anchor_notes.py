"""What anchor tests stamp: a note, its checkpoint, and the anchors of it."""

import hashlib

from reconciler.ledger.anchors.model import BITCOIN, Anchor, AnchorState, CheckpointRef, Method
from reconciler.ledger.anchors.plan import Checkpoint

_ROOT = "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA="
NOTE = f"reconciler/smile/desk\n288\n{_ROOT}\n\n— smile x\n".encode()
DIGEST = hashlib.sha256(NOTE).digest()
CHECKPOINT = Checkpoint(CheckpointRef(288, "c" * 64), NOTE)


def ots_anchor(proof: bytes, state: AnchorState = AnchorState.COMPLETE) -> Anchor:
    """An OpenTimestamps anchor of the note."""
    return _anchor(Method.OPENTIMESTAMPS, BITCOIN, state, proof)


def tsa_anchor(proof: bytes, name: str = "alpha") -> Anchor:
    """An RFC 3161 anchor of the note."""
    return _anchor(Method.RFC3161, name, AnchorState.COMPLETE, proof)


def _anchor(method: Method, authority: str, state: AnchorState, proof: bytes) -> Anchor:
    return Anchor(method, CHECKPOINT.ref, DIGEST.hex(), authority, state, proof)
