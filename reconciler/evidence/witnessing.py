"""What a witness decides: whether a log only grew since the witness last saw it.

Source: C2SP tlog-witness, ``add-checkpoint``. A request says which size the log believes the
witness saw last, why the log now begins with that one, and the new checkpoint. Nothing is
remembered here: the caller looks up what the witness saw, and makes that and the answer one step.

Rule 1: The log's signature is judged before anything else that its checkpoint says.
Rule 2: A second root for a size that was seen is written down, whatever the rest of the request is:
        the log's own signature makes it a proof.
"""

import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from reconciler.errors import EvidenceError
from reconciler.evidence import signed_note
from reconciler.evidence.merkle import EMPTY_ROOT, HASH_BYTES, MAX_SIZE, verify_consistency
from reconciler.evidence.note import (
    ED25519,
    Checkpoint,
    open_checkpoint,
    read_checkpoint,
    signed_only_by,
)
from reconciler.evidence.objection import Objection
from reconciler.evidence.signed_note import decode64, key_id

MAX_HASHES = 63
MAX_REQUEST = signed_note.MAX_NOTE + MAX_HASHES * 45 + 32

_HEAD = re.compile(rf"old (0|[1-9][0-9]{{0,15}})\n((?:[A-Za-z0-9+/=]{{44}}\n){{0,{MAX_HASHES}}})\n")
_HINT = "A request is as c2sp.org/tlog-witness says: old size, proof, empty line, checkpoint."


class Status(IntEnum):
    """Answers of the protocol that are no cosignature."""

    MALFORMED = 400
    NOT_SIGNED = 403
    UNKNOWN_LOG = 404
    OTHER_SIZE = 409
    NOT_CONSISTENT = 422


@dataclass(frozen=True, slots=True)
class Request:
    """A request whose form is right.

    Attributes:
        old: Size that the log believes the witness saw last.
        proof: Consistency proof from there.
        note: The new checkpoint, signed by the log.
        claimed: What it says, signature unseen.
    """

    old: int
    proof: tuple[bytes, ...]
    note: str
    claimed: Checkpoint


@dataclass(frozen=True, slots=True)
class Seen:
    """The largest state of a log that a witness vouched for.

    Attributes:
        size: How many entries.
        root: Their root, 32 bytes.
        note: The checkpoint with the log's signature and the witness's own.
    """

    size: int
    root: bytes
    note: str


@dataclass(frozen=True, slots=True)
class Look:
    """What came of looking at one log.

    Attributes:
        origin: Which log.
        entries: How many entries were examined; 0 if it was refused.
        size: How many entries the log has; 0 if it was refused.
        seen: What the witness vouches for now, None if for nothing yet.
        cosigned: Whether that is new.
        objection: Why it does not vouch for what it was shown, None if it does.
    """

    origin: str
    entries: int
    size: int
    seen: Seen | None
    cosigned: bool
    objection: Objection | None


@dataclass(frozen=True, slots=True)
class Cosign:
    """The log only grew.

    Attributes:
        checkpoint: What to vouch for.
        note: That, with the signatures of the log's own keys and no other line.
        again: Whether the witness vouched for the same before.
    """

    checkpoint: Checkpoint
    note: str
    again: bool


@dataclass(frozen=True, slots=True)
class Refuse:
    """No cosignature.

    Attributes:
        status: Which answer of the protocol it is.
        message: Why, in one sentence.
        size: For `Status.OTHER_SIZE`, the size the witness saw last.
        second_root: Whether the log signed two roots for one size: equivocation, by its own hand.
    """

    status: Status
    message: str
    size: int = 0
    second_root: bool = False


def read_request(body: bytes) -> Request:
    """Read the body of a request strictly.

    Raises:
        EvidenceError: Too large, or not a request.
    """
    if len(body) > MAX_REQUEST:
        raise _malformed(f"request of {len(body)} bytes is larger than {MAX_REQUEST}")
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise _malformed("request is not UTF-8") from error
    match = _HEAD.match(text)
    if match is None:
        raise _malformed("request does not begin with an old size and a proof")
    if int(match[1]) > MAX_SIZE:
        raise _malformed(f"{match[1]} is not the size of a log")
    proof = tuple(decode64(line, HASH_BYTES) for line in match[2].splitlines())
    note = text[match.end() :]
    return Request(int(match[1]), proof, note, read_checkpoint(note))


def write_request(old: int, proof: Sequence[bytes], note: str) -> bytes:
    """The body of a request.

    Args:
        old: Size that the witness is believed to have seen last.
        proof: Consistency proof from there to the checkpoint.
        note: The signed checkpoint.

    Raises:
        EvidenceError: Something in it cannot be read back.
    """
    hashes = "".join(f"{b64encode(item).decode()}\n" for item in proof)
    body = f"old {old}\n{hashes}\n{note}".encode()
    read_request(body)
    return body


def decide(publics: Sequence[bytes], seen: Seen | None, request: Request) -> Cosign | Refuse:
    """Judge a request.

    Args:
        publics: Keys that may sign for the log it is about; none if that log is not known.
        seen: What the witness vouched for last, None if it never did.
        request: The request.
    """
    if not publics:
        return Refuse(Status.UNKNOWN_LOG, f"log {request.claimed.origin!r:.80} is not known")
    origin = request.claimed.origin
    try:
        signers = _signers(publics, request) or publics
        # With no signature of a known key, opening it with any of them says what is missing.
        opened = [open_checkpoint(request.note, origin, key) for key in signers]
        note = signed_only_by(request.note, origin, signers)
    except EvidenceError as error:
        return Refuse(Status.NOT_SIGNED, error.message)
    checkpoint = opened[0]
    again = seen is not None and seen.size == checkpoint.size
    return _refused(checkpoint, seen, request) or Cosign(checkpoint, note, again)


def _signers(publics: Sequence[bytes], request: Request) -> list[bytes]:
    signed, origin = signed_note.read(request.note), request.claimed.origin
    return [key for key in publics if signed.by(origin, key_id(origin, ED25519, key))]


def _refused(checkpoint: Checkpoint, seen: Seen | None, request: Request) -> Refuse | None:
    second = is_second_root(checkpoint, seen)
    if checkpoint.extensions:
        return Refuse(Status.MALFORMED, "checkpoint has extension lines", second_root=second)
    if request.old > checkpoint.size:
        message = f"old size {request.old} is beyond the new size {checkpoint.size}"
        return Refuse(Status.MALFORMED, message, second_root=second)
    size = 0 if seen is None else seen.size
    if request.old != size:
        message = f"old size is {size}, not {request.old}"
        return Refuse(Status.OTHER_SIZE, message, size, second)
    return _inconsistent(checkpoint, seen, request, second)


def _inconsistent(
    checkpoint: Checkpoint, seen: Seen | None, request: Request, second: bool
) -> Refuse | None:
    old_root = EMPTY_ROOT if seen is None else seen.root
    try:
        verify_consistency(request.old, old_root, checkpoint.size, checkpoint.root, request.proof)
    except EvidenceError as error:
        return Refuse(Status.NOT_CONSISTENT, error.message, second_root=second)
    return None


def is_second_root(checkpoint: Checkpoint, seen: Seen | None) -> bool:
    """Whether a checkpoint that its log signed contradicts one that was seen."""
    return seen is not None and checkpoint.size == seen.size and checkpoint.root != seen.root


def _malformed(message: str) -> EvidenceError:
    return EvidenceError(message, hint=_HINT)
