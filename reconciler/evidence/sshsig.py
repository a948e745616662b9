"""SSHSIG: signatures that ``ssh-keygen -Y`` and ``git`` make and check, Ed25519 only.

A plain key is its 32 raw bytes everywhere; a hardware key (`sshsig_sk`) its whole key blob.

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
from reconciler.evidence import sshsig_sk
from reconciler.evidence.ssh_wire import string, strings

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
_KEY_AT = len(_MAGIC + _VERSION) + 4
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
    return armor_of(_blob(raw_public(key), namespace, signature))


def verify(armor: str, message: bytes, namespace: str, *, sk: bool = False) -> bytes:
    """Check a signature and say which key made it. Whether the key is trusted is another question.

    Args:
        armor: The armored signature, exactly as `sign` writes it (no final newline).
        message: The bytes that were signed.
        namespace: What the signature must be for.
        sk: Whether a hardware key may have made it; in a ledger it may not.

    Returns:
        The raw Ed25519 public key, 32 bytes; of a hardware key its whole key blob, which is longer.

    Raises:
        EvidenceError: Not this armor, another version, key type, hash or namespace, trailing or
            spare bytes, or the signature does not fit.
    """
    return verify_blob(blob_of(armor), message, namespace, sk=sk)


def verify_blob(blob: bytes, message: bytes, namespace: str, *, sk: bool = False) -> bytes:
    """`verify` for a signature without its armor."""
    if sk and blob.startswith(_MAGIC + _VERSION) and sshsig_sk.is_sk(blob[_KEY_AT:]):
        return _verify_sk(blob, message, namespace)
    public, signature = _parts(blob, namespace)
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
    key_type = sshsig_sk.KEY_TYPE if sshsig_sk.is_sk(public) else KEY_TYPE
    return f"{key_type} {b64encode(_key_blob(public)).decode()}"


def public_line(public: bytes, comment: str = "") -> str:
    """A line of a ``.pub`` file, without the newline."""
    return f"{public_text(public)} {comment}".rstrip()


def parse_public(key_type: str, text: str) -> bytes:
    """The public key of the two words ``ssh-ed25519 AAAA...``, or of a hardware key's.

    Returns:
        32 raw bytes; of a hardware key its whole key blob.

    Raises:
        EvidenceError: Another key type, or not exactly one canonical Ed25519 key.
    """
    blob = _decode64(text)
    if key_type == sshsig_sk.KEY_TYPE:
        sshsig_sk.parts(blob)
        public = blob
    elif key_type == KEY_TYPE:
        public = blob[-32:]
    else:
        message = f"key type {key_type[:40]!r} is not {KEY_TYPE} or {sshsig_sk.KEY_TYPE}"
        raise EvidenceError(message, hint=_HINT)
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


@lru_cache(maxsize=64)
def _key_blob(public: bytes) -> bytes:
    return public if sshsig_sk.is_sk(public) else strings(KEY_TYPE.encode(), public)


def _to_be_signed(message: bytes, namespace: str) -> bytes:
    fields = (namespace.encode(), b"", b"sha512", hashlib.sha512(message).digest())
    return _MAGIC + strings(*fields)


@lru_cache(maxsize=64)
def _prefix(public: bytes, namespace: str) -> bytes:
    fields = (_key_blob(public), namespace.encode(), b"", b"sha512")
    return _MAGIC + _VERSION + strings(*fields)


def _blob(public: bytes, namespace: str, signature: bytes) -> bytes:
    return _prefix(public, namespace) + string(strings(KEY_TYPE.encode(), signature))


def _verify_sk(blob: bytes, message: bytes, namespace: str) -> bytes:
    """The key blob of a hardware key whose signature fits."""
    # Its length comes from outside; that the blob is built again from its parts proves it.
    length = int.from_bytes(blob[_KEY_AT - 4 : _KEY_AT], "big")
    public = blob[_KEY_AT : _KEY_AT + length]
    raw, application = sshsig_sk.parts(public)
    field = blob[len(_prefix(public, namespace)) + 4 :]
    if blob != _prefix(public, namespace) + string(field):
        raise EvidenceError(_difference(blob, namespace), hint=_HINT)
    signature, flags, counter = sshsig_sk.split_signature(field)
    inner = _to_be_signed(message, namespace)
    signed = sshsig_sk.signed_by_authenticator(application, flags, counter, inner)
    if not fits(raw, signature, signed):
        raise EvidenceError("signature does not fit the signed bytes", hint=_HINT)
    return public


def _parts(blob: bytes, namespace: str) -> tuple[bytes, bytes]:
    """Public key and signature of a blob, which must be what `_blob` builds from them."""
    # A blob has fixed offsets because every field but the key and the signature is fixed; building
    # it again from the two and comparing leaves no length field, version or trailer unchecked.
    start = _KEY_AT + 4 + len(KEY_TYPE) + 4
    public, signature = blob[start : start + 32], blob[-64:]
    if len(public) != 32 or blob != _blob(public, namespace, signature):
        raise EvidenceError(_difference(blob, namespace), hint=_HINT)
    return public, signature


def _difference(blob: bytes, namespace: str) -> str:
    """Why a blob is refused, for people; the refusal itself does not depend on it."""
    if not blob.startswith(_MAGIC + _VERSION):
        return "signature is not SSHSIG version 1"
    if string(KEY_TYPE.encode()) not in blob[:64] and not sshsig_sk.is_sk(blob[_KEY_AT:]):
        return f"signing key is not {KEY_TYPE}"
    if string(namespace.encode()) not in blob:
        return f"signature was not made for namespace {namespace!r}"
    if string(b"sha512") not in blob:
        return "signature does not use sha512"
    return "signature has missing, spare or trailing bytes"


def armor_of(blob: bytes) -> str:
    """The armor of a signature, without a final newline."""
    text = b64encode(blob).decode()
    lines = [text[at : at + _COLUMNS] for at in range(0, len(text), _COLUMNS)]
    return "\n".join([_BEGIN, *lines, _END])


def blob_of(armor: str) -> bytes:
    """The signature in an armor, which must be the one that `armor_of` makes.

    Raises:
        EvidenceError: Another armor, or too long.
    """
    if len(armor) > _MAX_ARMOR:
        raise EvidenceError(f"signature of {len(armor)} characters is too long", hint=_HINT)
    blob = _decode64("".join(armor.split("\n")[1:-1]))
    if armor != armor_of(blob):
        raise EvidenceError("signature is not armored as ssh-keygen does it", hint=_HINT)
    return blob


def _decode64(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except ValueError as error:
        raise EvidenceError(f"not base64: {error}", hint=_HINT) from error
