"""Signed notes: a text, an empty line, and lines that each say who signed the text.

Source: C2SP signed-note (c2sp.org/signed-note). A signature line is an em dash, the name of the key
and base64 of a four-byte key id and the signature; the id is
``SHA-256(name || 0x0A || kind || public)[:4]``, so one key has another id for each use.

Rule 1: One note has one form: canonical base64, sizes bounded, nothing before, between or after.
Rule 2: Lines of unknown keys are read strictly and then ignored: witnesses add their own.
"""

import hashlib
import re
from base64 import b64decode, b64encode
from dataclasses import dataclass

from reconciler.errors import EvidenceError

ED25519 = 0x01
"""A plain Ed25519 signature of the text: what a log signs with."""

COSIGNATURE = 0x04
"""A timestamped Ed25519 cosignature of a checkpoint: what a witness signs with."""

MAX_NOTE = 64 * 1024
MAX_LINES = 64
MAX_NAME = 256

_ID_BYTES = 4
_KEY_BYTES = 32
_HINT = "A note is kept and passed on byte for byte as it was signed (c2sp.org/signed-note)."
_KEY_HINT = "A verifier key is name+hash+base64, as the log or the witness publishes it."
_LINE = re.compile(r"\u2014 ([^ ]+) ([A-Za-z0-9+/]+={0,2})")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_VERIFIER = re.compile(r"([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]{44})")


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line.

    Attributes:
        name: Name of the key.
        key_id: Four bytes that tell keys of one name apart; no proof of anything.
        payload: What comes after the key id: here 64 bytes, or 72 with a time in front.
    """

    name: str
    key_id: bytes
    payload: bytes

    def __str__(self) -> str:
        return f"\u2014 {self.name} {b64encode(self.key_id + self.payload).decode()}"


@dataclass(frozen=True, slots=True)
class SignedNote:
    """A note whose form is right; whether a signature fits is not yet said.

    Attributes:
        text: What is signed, with its final newline.
        signatures: The signature lines in order.
    """

    text: str
    signatures: tuple[Signature, ...]

    def __str__(self) -> str:
        return f"{self.text}\n{signature_lines(self.signatures)}"

    def by(self, name: str, key_id: bytes) -> Signature | None:
        """The signature of one key, None if it did not sign.

        Raises:
            EvidenceError: The key signed twice.
        """
        found = [one for one in self.signatures if (one.name, one.key_id) == (name, key_id)]
        if len(found) > 1:
            raise refusal(f"note is signed twice by {name}")
        return found[0] if found else None


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key as logs and witnesses publish it.

    Attributes:
        name: Name of the key.
        kind: `ED25519` or `COSIGNATURE`.
        public: Raw Ed25519 public key, 32 bytes.
    """

    name: str
    kind: int
    public: bytes


def read(note: str) -> SignedNote:
    """Read a note strictly.

    Raises:
        EvidenceError: Too large, a control character, no text, no signature, or a line that is not
            what `SignedNote` would write.
    """
    _check_characters(note)
    text, separator, rest = note.rpartition("\n\n")
    if not separator or not text or not rest.endswith("\n"):
        raise refusal("note is not a text, an empty line and signature lines")
    return SignedNote(text + "\n", read_lines(rest))


def read_lines(lines: str) -> tuple[Signature, ...]:
    """Read signature lines, each with its newline: the tail of a note, or a witness's answer.

    Raises:
        EvidenceError: None, too many, or one that has another form.
    """
    _check_characters(lines)
    found = lines.split("\n")
    if found.pop() or not 1 <= len(found) <= MAX_LINES:
        raise refusal("signature lines are missing, too many or not ended")
    return tuple(map(_read_line, found))


def signature_lines(signatures: tuple[Signature, ...]) -> str:
    """The lines of signatures, each with its newline."""
    return "".join(f"{one}\n" for one in signatures)


def key_id(name: str, kind: int, public: bytes) -> bytes:
    """The four bytes by which signatures of a key are found.

    Raises:
        EvidenceError: Not a name, or not an Ed25519 key.
    """
    check_name(name)
    if len(public) != _KEY_BYTES:
        raise EvidenceError(f"key of {name} is not 32 bytes", hint=_KEY_HINT)
    return hashlib.sha256(f"{name}\n".encode() + bytes((kind,)) + public).digest()[:_ID_BYTES]


def verifier_key(name: str, kind: int, public: bytes) -> str:
    """A public key as text, ``name+hash+base64``.

    Args:
        name: Name of the key: the origin of a log, or the name of a witness.
        kind: `ED25519` or `COSIGNATURE`.
        public: Raw Ed25519 public key.

    Raises:
        EvidenceError: Not a name, a kind or a key.
    """
    if kind not in (ED25519, COSIGNATURE):
        raise EvidenceError(f"key type {kind:#04x} of {name} is not known here", hint=_KEY_HINT)
    known = key_id(name, kind, public).hex()
    return f"{name}+{known}+{b64encode(bytes((kind,)) + public).decode()}"


def parse_verifier_key(text: str) -> VerifierKey:
    """Read what `verifier_key` wrote.

    Raises:
        EvidenceError: Another form, an unknown type, or a hash that does not fit name and key.
    """
    match = _VERIFIER.fullmatch(text)
    if match is None:
        raise EvidenceError(f"{text!r:.80} is not a verifier key", hint=_KEY_HINT)
    raw = b64decode(match[3])
    key = VerifierKey(match[1], raw[0], raw[1:])
    if verifier_key(key.name, key.kind, key.public) != text:
        raise EvidenceError(f"verifier key of {key.name!r:.80} is not its own hash", hint=_KEY_HINT)
    return key


def check_name(name: str) -> None:
    """Refuse what cannot be the name of a key.

    Raises:
        EvidenceError: Empty, too long, or with spaces, plus signs or control characters.
    """
    if not 1 <= len(name) <= MAX_NAME or "+" in name or any(map(str.isspace, name)):
        raise refusal(f"{name!r:.80} is not the name of a key")
    _check_characters(name)


def decode64(text: str, size: int | None = None) -> bytes:
    """Bytes of canonical base64.

    Args:
        text: Base64 with padding.
        size: How many bytes it must be, if that is fixed.

    Raises:
        EvidenceError: Not base64, not canonical, or of another size.
    """
    try:
        found = b64decode(text, validate=True)
    except ValueError as error:
        raise refusal(f"{text!r:.80} is not base64") from error
    if b64encode(found).decode() != text:
        raise refusal(f"{text!r:.80} is base64 with spare bits")
    if size is not None and len(found) != size:
        raise refusal(f"{text!r:.80} is {len(found)} bytes, not {size}")
    return found


def refusal(message: str) -> EvidenceError:
    """The error of a note that is not one."""
    return EvidenceError(message, hint=_HINT)


def _read_line(line: str) -> Signature:
    match = _LINE.fullmatch(line)
    if match is None:
        raise refusal(f"{line!r:.80} is not a signature line")
    check_name(match[1])
    raw = decode64(match[2])
    if len(raw) <= _ID_BYTES:
        raise refusal(f"signature of {match[1]!r:.80} is empty")
    return Signature(match[1], raw[:_ID_BYTES], raw[_ID_BYTES:])


def _check_characters(text: str) -> None:
    if len(text) > MAX_NOTE:
        raise refusal(f"note of {len(text)} characters is larger than {MAX_NOTE}")
    if _CONTROL.search(text):
        raise refusal("note holds a control character")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise refusal("note holds a lone surrogate") from error
