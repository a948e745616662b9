"""Checkpoints of a log, and what witnesses say about them.

Source: C2SP tlog-checkpoint and tlog-cosignature. A checkpoint is a signed note whose text is the
log's origin, its size and its root. A witness signs ``cosignature/v1``, a time and that text: it
saw this log, at this time, with this root, and nothing else of this size before.

Rule 1: The log's signature is checked before anybody believes its text.
Rule 2: A witness is one key. The signed bytes do not say its name, so one key under two names would
        count twice.
"""

import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.errors import EvidenceError
from reconciler.evidence import signed_note
from reconciler.evidence.merkle import HASH_BYTES, MAX_SIZE
from reconciler.evidence.signed_note import (
    COSIGNATURE,
    ED25519,
    Signature,
    SignedNote,
    VerifierKey,
    key_id,
    parse_verifier_key,
    refusal,
    verifier_key,
)
from reconciler.evidence.sshsig import fits, raw_public

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

__all__ = [
    "COSIGNATURE",
    "ED25519",
    "MAX_TIME",
    "Checkpoint",
    "VerifierKey",
    "add_cosignatures",
    "checkpoint_text",
    "cosign",
    "cosignature_of",
    "cosignatures",
    "open_checkpoint",
    "parse_verifier_key",
    "read_checkpoint",
    "sign_checkpoint",
    "signed_only_by",
    "verifier_key",
]

MAX_TIME = 2**53 - 1
"""Seconds; the standard allows 2^63-1, canonical JSON does not."""

_TIME_BYTES = 8
_SIGNATURE_BYTES = 64
_NUMBER = re.compile(r"0|[1-9][0-9]{0,15}")
_HINT = "Trust only what the log's own key signed; ask the log, and then a witness, for the note."


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of a log: everything it held when it had this size.

    Attributes:
        origin: Which log; also the name of its key: ``reconciler/<client>/<host>``.
        size: How many entries; it covers entries 0 to size-1.
        root: Root of their Merkle tree, 32 bytes.
        extensions: More lines, which nobody checks; ours have none.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()


def checkpoint_text(checkpoint: Checkpoint) -> str:
    """The text of a checkpoint, which is what is signed.

    Raises:
        EvidenceError: Something in it cannot be written in a line of its own.
    """
    root = b64encode(checkpoint.root).decode()
    lines = (checkpoint.origin, str(checkpoint.size), root, *checkpoint.extensions)
    text = "".join(f"{line}\n" for line in lines)
    if _read_text(text) != checkpoint:
        raise refusal("checkpoint holds what its text cannot say")
    return text


def sign_checkpoint(checkpoint: Checkpoint, key: "Ed25519PrivateKey") -> str:
    """Sign a checkpoint as its log.

    Args:
        checkpoint: What to sign; its origin is the name of the key.
        key: The log's Ed25519 private key.

    Returns:
        The signed note.

    Raises:
        EvidenceError: Something in it cannot be written in a line of its own.
    """
    text = checkpoint_text(checkpoint)
    known = key_id(checkpoint.origin, ED25519, raw_public(key))
    signature = Signature(checkpoint.origin, known, key.sign(text.encode()))
    return str(SignedNote(text, (signature,)))


def open_checkpoint(note: str, origin: str, public: bytes) -> Checkpoint:
    """Verify the log's signature of a checkpoint and read it; other signatures are ignored.

    Args:
        note: The signed note.
        origin: Which log it must be of.
        public: Raw public key of that log.

    Raises:
        EvidenceError: Not a checkpoint, of another log, or not signed by the log's key.
    """
    signed = signed_note.read(note)
    found = signed.by(origin, key_id(origin, ED25519, public))
    if found is None:
        raise EvidenceError(f"checkpoint is not signed by the key of {origin}", hint=_HINT)
    if not fits(public, found.payload, signed.text.encode()):
        raise EvidenceError(f"signature of {origin} does not fit its checkpoint", hint=_HINT)
    checkpoint = _read_text(signed.text)
    if checkpoint.origin != origin:
        raise EvidenceError(f"checkpoint is of {checkpoint.origin!r:.80}, not {origin}", hint=_HINT)
    return checkpoint


def signed_only_by(note: str, origin: str, publics: Sequence[bytes]) -> str:
    """A note with the signatures of a log's keys and no other line; what it was sent with is gone.

    Args:
        note: A checkpoint that `open_checkpoint` opened with each of the keys.
        origin: Which log.
        publics: Its keys.

    Raises:
        EvidenceError: One of them did not sign it.
    """
    signed = signed_note.read(note)
    kept = [signed.by(origin, key_id(origin, ED25519, public)) for public in publics]
    if not kept or None in kept:
        raise EvidenceError(f"checkpoint is not signed by the key of {origin}", hint=_HINT)
    return str(SignedNote(signed.text, tuple(one for one in kept if one is not None)))


def cosignature_of(note: str, name: str, public: bytes) -> str:
    """The signature line of one witness in a note, with its newline.

    Raises:
        EvidenceError: It did not cosign.
    """
    found = signed_note.read(note).by(name, key_id(name, COSIGNATURE, public))
    if found is None:
        raise EvidenceError(f"checkpoint is not cosigned by {name}", hint=_HINT)
    return signed_note.signature_lines((found,))


def read_checkpoint(note: str) -> Checkpoint:
    """What a note claims, signature unseen: to find out whose key to verify it with.

    Raises:
        EvidenceError: Not the form of a checkpoint.
    """
    return _read_text(signed_note.read(note).text)


def cosign(note: str, name: str, key: "Ed25519PrivateKey", at_unix: int) -> str:
    """Add a witness's cosignature. The caller has verified the note and that the log only grew.

    Args:
        note: A signed checkpoint.
        name: Name of the witness.
        key: Its Ed25519 private key, used for nothing but this name.
        at_unix: When, in whole seconds since 1970.

    Returns:
        The note with one more signature line.

    Raises:
        EvidenceError: Not a checkpoint, cosigned by this witness already, or no time.
    """
    if not 0 < at_unix <= MAX_TIME:
        raise refusal(f"{at_unix} is not a time to sign at")
    signed = signed_note.read(note)
    _read_text(signed.text)
    known = key_id(name, COSIGNATURE, raw_public(key))
    if signed.by(name, known) is not None:
        raise refusal(f"{name} has cosigned this note already")
    payload = at_unix.to_bytes(_TIME_BYTES, "big") + key.sign(_cosigned(signed.text, at_unix))
    return str(SignedNote(signed.text, (*signed.signatures, Signature(name, known, payload))))


def add_cosignatures(note: str, lines: str, witnesses: Mapping[str, bytes]) -> str:
    """Add a witness's answer to a note: its known and valid cosignatures, nothing else of it.

    Args:
        note: A signed checkpoint.
        lines: Signature lines as the witness sent them.
        witnesses: Name to raw public key.

    Raises:
        EvidenceError: Not signature lines, none of a known witness, or one that is forged.
    """
    signed, answer = signed_note.read(note), signed_note.read_lines(lines)
    known = {(name, key_id(name, COSIGNATURE, public)) for name, public in witnesses.items()}
    new = tuple(one for one in answer if (one.name, one.key_id) in known)
    if not new:
        raise EvidenceError("answer holds no cosignature of a known witness", hint=_HINT)
    cosignatures(str(SignedNote(signed.text, new)), witnesses)
    return str(SignedNote(signed.text, (*signed.signatures, *new)))


def cosignatures(note: str, witnesses: Mapping[str, bytes]) -> dict[str, int]:
    """Which known witnesses cosigned a checkpoint, and when.

    A line with the name of a known witness and another key's id counts for nobody, as the standard
    asks: it does not make the note worse, and not better.

    Args:
        note: A signed checkpoint; the log's own signature is `open_checkpoint`'s business.
        witnesses: Name to raw public key.

    Returns:
        Name to time in seconds since 1970, only of witnesses whose cosignature is there and fits.

    Raises:
        EvidenceError: Not a checkpoint, a cosignature of a known key does not fit or is there
            twice, or two witnesses are one key.
    """
    if len(set(witnesses.values())) != len(witnesses):
        raise EvidenceError("two witnesses have the same key", hint="A witness is one key.")
    signed = signed_note.read(note)
    _read_text(signed.text)
    found = {}
    for name, public in witnesses.items():
        signature = signed.by(name, key_id(name, COSIGNATURE, public))
        if signature is not None:
            found[name] = _cosigned_at(signed.text, signature, public)
    return found


def _cosigned_at(text: str, signature: Signature, public: bytes) -> int:
    at = int.from_bytes(signature.payload[:_TIME_BYTES], "big")
    if len(signature.payload) != _TIME_BYTES + _SIGNATURE_BYTES or not 0 < at <= MAX_TIME:
        raise EvidenceError(f"cosignature of {signature.name} has another form", hint=_HINT)
    if not fits(public, signature.payload[_TIME_BYTES:], _cosigned(text, at)):
        raise EvidenceError(f"cosignature of {signature.name} is forged", hint=_HINT)
    return at


def _cosigned(text: str, at: int) -> bytes:
    return f"cosignature/v1\ntime {at}\n{text}".encode()


def _read_text(text: str) -> Checkpoint:
    lines = text.split("\n")
    if lines.pop() or len(lines) < 3 or "" in lines:
        raise refusal("checkpoint is not at least three lines of text")
    origin, size, root, *extensions = lines
    signed_note.check_name(origin)
    if not _NUMBER.fullmatch(size) or int(size) > MAX_SIZE:
        raise refusal(f"{size!r:.40} is not the size of a log")
    return Checkpoint(origin, int(size), signed_note.decode64(root, HASH_BYTES), tuple(extensions))
