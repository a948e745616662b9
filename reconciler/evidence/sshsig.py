"""SSHSIG: signatures that ``ssh-keygen -Y`` and ``git`` make and check, Ed25519 only.

Source: OpenSSH ``PROTOCOL.sshsig`` version 1. What is signed is
``"SSHSIG" + string(namespace) + string("") + string("sha512") + string(SHA512(message))``.

Rule 1: There is one armor for one signature. A changed byte, another line length, a spare bit in
        the base64 or anything after the end is refused: in a commit it would be unsigned content.
Rule 2: The namespace is part of what is signed; one made for ``file`` is none for ``git``.
"""

import hashlib
from base64 import b64decode, b64encode
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from reconciler.errors import EvidenceError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )

GIT_NAMESPACE = "git"
KEY_TYPE = "ssh-ed25519"

_BEGIN = "-----BEGIN SSH SIGNATURE-----"
_END = "-----END SSH SIGNATURE-----"
_COLUMNS = 70
_MAX_ARMOR = 1024
_MAGIC = b"SSHSIG"
_VERSION = b"\x00\x00\x00\x01"
_HINT = "Sign with an Ed25519 SSH key: ssh-keygen -t ed25519; git config gpg.format ssh."


def sign(key: "Ed25519PrivateKey", message: bytes, namespace: str) -> str:
    """Sign a message.

    Args:
        key: Ed25519 private key.
        message: The bytes to sign; only their SHA-512 goes into the signature.
        namespace: What the signature is for: ``git`` for commits.

    Returns:
        Armor at 70 columns without a final newline, as a ``gpgsig`` header wants it.
    """
    signature = key.sign(_to_be_signed(message, namespace))
    return _armor(_blob(raw_public(key), namespace, signature))


def verify(armor: str, message: bytes, namespace: str) -> bytes:
    """Check a signature and say which key made it. Whether the key is trusted is another question.

    Args:
        armor: The armored signature, exactly as `sign` writes it (no final newline).
        message: The bytes that were signed.
        namespace: What the signature must be for.

    Returns:
        The raw Ed25519 public key, 32 bytes.

    Raises:
        EvidenceError: Not this armor, another version, key type, hash or namespace, trailing or
            spare bytes, or the signature does not fit.
    """
    public, signature = _parts(_dearmor(armor), namespace)
    if not fits(public, signature, _to_be_signed(message, namespace)):
        raise EvidenceError("signature does not fit the signed bytes", hint=_HINT)
    return public


def fits(public: bytes, signature: bytes, message: bytes) -> bool:
    """Whether a plain Ed25519 signature (RFC 8032) of a raw public key fits a message."""
    try:
        _public_key(public).verify(signature, message)
    except (_invalid_signature(), ValueError):
        return False
    return True


def raw_public(key: "Ed25519PrivateKey") -> bytes:
    """The raw public key of a private key, 32 bytes."""
    return key.public_key().public_bytes_raw()


def fingerprint(public: bytes) -> str:
    """How OpenSSH and ``git log --show-signature`` name a key: ``SHA256:...``."""
    return "SHA256:" + b64encode(hashlib.sha256(_key_blob(public)).digest()).decode().rstrip("=")


def public_text(public: bytes) -> str:
    """A key as in ``.pub`` and allowed signers files: ``ssh-ed25519 AAAA...``."""
    return f"{KEY_TYPE} {b64encode(_key_blob(public)).decode()}"


def public_line(public: bytes, comment: str = "") -> str:
    """A line of a ``.pub`` file, without the newline."""
    return f"{public_text(public)} {comment}".rstrip()


def parse_public(key_type: str, text: str) -> bytes:
    """The raw public key (32 bytes) of the two words ``ssh-ed25519 AAAA...``.

    Raises:
        EvidenceError: Another key type, or not exactly one canonical Ed25519 key.
    """
    if key_type != KEY_TYPE:
        raise EvidenceError(f"key type {key_type[:40]!r} is not {KEY_TYPE}", hint=_HINT)
    public = _decode64(text)[-32:]
    if text != public_text(public).split(" ")[1]:
        raise EvidenceError("public key is not a canonical ssh-ed25519 key", hint=_HINT)
    return public


@lru_cache(maxsize=64)
def _public_key(public: bytes) -> "Ed25519PublicKey":
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415 - lazy
        Ed25519PublicKey,
    )

    return Ed25519PublicKey.from_public_bytes(public)


@cache
def _invalid_signature() -> type[Exception]:
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - lazy, see design

    return InvalidSignature


def _string(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


@lru_cache(maxsize=64)
def _key_blob(public: bytes) -> bytes:
    return _string(KEY_TYPE.encode()) + _string(public)


def _to_be_signed(message: bytes, namespace: str) -> bytes:
    fields = (namespace.encode(), b"", b"sha512", hashlib.sha512(message).digest())
    return _MAGIC + b"".join(map(_string, fields))


@lru_cache(maxsize=64)
def _prefix(public: bytes, namespace: str) -> bytes:
    fields = (_key_blob(public), namespace.encode(), b"", b"sha512")
    return _MAGIC + _VERSION + b"".join(map(_string, fields))


def _blob(public: bytes, namespace: str, signature: bytes) -> bytes:
    return _prefix(public, namespace) + _string(_string(KEY_TYPE.encode()) + _string(signature))


def _parts(blob: bytes, namespace: str) -> tuple[bytes, bytes]:
    """Public key and signature of a blob, which must be what `_blob` builds from them."""
    # A blob has fixed offsets because every field but the key and the signature is fixed; building
    # it again from the two and comparing leaves no length field, version or trailer unchecked.
    start = len(_MAGIC + _VERSION) + 4 + 4 + len(KEY_TYPE) + 4
    public, signature = blob[start : start + 32], blob[-64:]
    if len(public) != 32 or blob != _blob(public, namespace, signature):
        raise EvidenceError(_difference(blob, namespace), hint=_HINT)
    return public, signature


def _difference(blob: bytes, namespace: str) -> str:
    """Why a blob is refused, for people; the refusal itself does not depend on it."""
    if not blob.startswith(_MAGIC + _VERSION):
        return "signature is not SSHSIG version 1"
    if _string(KEY_TYPE.encode()) not in blob[:64]:
        return f"signing key is not {KEY_TYPE}"
    if _string(namespace.encode()) not in blob:
        return f"signature was not made for namespace {namespace!r}"
    if _string(b"sha512") not in blob:
        return "signature does not use sha512"
    return "signature has missing, spare or trailing bytes"


def _armor(blob: bytes) -> str:
    text = b64encode(blob).decode()
    lines = [text[at : at + _COLUMNS] for at in range(0, len(text), _COLUMNS)]
    return "\n".join([_BEGIN, *lines, _END])


def _dearmor(armor: str) -> bytes:
    if len(armor) > _MAX_ARMOR:
        raise EvidenceError(f"signature of {len(armor)} characters is too long", hint=_HINT)
    blob = _decode64("".join(armor.split("\n")[1:-1]))
    if armor != _armor(blob):
        raise EvidenceError("signature is not armored as ssh-keygen does it", hint=_HINT)
    return blob


def _decode64(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except ValueError as error:
        raise EvidenceError(f"not base64: {error}", hint=_HINT) from error
