"""DSSE: the envelope around a statement, so that it can be verified outside Git too.

Source: DSSE v1 (secure-systems-lab/dsse). The signature covers the pre-authentication encoding
``DSSEv1 SP len(type) SP type SP len(payload) SP payload`` with plain Ed25519 (RFC 8032).

Rule 1: One envelope has one form: canonical JSON, one signature, one key id, canonical base64.
Rule 2: The signature is checked before anybody parses the payload.
"""

import hashlib
import re
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING

from reconciler.errors import EvidenceError
from reconciler.evidence.canonical import MAX_BYTES
from reconciler.evidence.sshsig import fits, raw_public

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

PAYLOAD_TYPE = "application/vnd.in-toto+json"
MAX_ENVELOPE = MAX_BYTES // 3 * 4 + 1024

# Canonical JSON of an envelope leaves no freedom but in these four strings.
_ENVELOPE = re.compile(
    rb'\{"payload":"([A-Za-z0-9+/=]*)","payloadType":"([A-Za-z0-9./+-]{1,128})",'
    rb'"signatures":\[\{"keyid":"([0-9a-f]{64})","sig":"([A-Za-z0-9+/]{86}==)"\}\]\}'
)
_HINT = "An entry is a DSSE envelope written by the ledger; it is never edited or re-wrapped."


def pae(payload: bytes, payload_type: str) -> bytes:
    """Pre-authentication encoding: the bytes that are signed."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def key_id(public: bytes) -> str:
    """Hex SHA-256 of a raw public key."""
    return hashlib.sha256(public).hexdigest()


def seal(payload: bytes, payload_type: str, key: "Ed25519PrivateKey") -> bytes:
    """Sign a payload and wrap it.

    Args:
        payload: The bytes to keep; they come back from `open_envelope` unchanged.
        payload_type: Media type of the payload.
        key: Ed25519 private key.

    Returns:
        The envelope as canonical JSON.
    """
    signature = key.sign(pae(payload, payload_type))
    return _envelope(payload, payload_type, raw_public(key), signature)


def open_envelope(data: bytes, public: bytes, payload_type: str = PAYLOAD_TYPE) -> bytes:
    """Verify an envelope and return its payload, byte for byte as it was signed.

    Args:
        data: The envelope.
        public: Raw public key that must have signed it, 32 bytes.
        payload_type: Media type that the payload must have.

    Raises:
        EvidenceError: Not the canonical envelope, another type, another key, or a signature that
            does not fit.
    """
    match = _ENVELOPE.fullmatch(data) if len(data) <= MAX_ENVELOPE else None
    if match is None:
        raise EvidenceError("envelope is not a canonical DSSE envelope", hint=_HINT)
    try:
        payload, signature = b64decode(match[1]), b64decode(match[4])
    except ValueError as error:
        raise EvidenceError(f"envelope is not base64: {error}", hint=_HINT) from error
    if match[2] != payload_type.encode():
        raise EvidenceError(f"payload type is {match[2].decode()!r}", hint=_HINT)
    if match[3] != key_id(public).encode():
        raise EvidenceError(f"envelope names another key: {match[3].decode()}", hint=_HINT)
    if data != _envelope(payload, payload_type, public, signature):
        raise EvidenceError("envelope holds base64 that is not canonical", hint=_HINT)
    if not fits(public, signature, pae(payload, payload_type)):
        raise EvidenceError("envelope signature does not fit its payload", hint=_HINT)
    return payload


def _envelope(payload: bytes, payload_type: str, public: bytes, signature: bytes) -> bytes:
    return (b'{"payload":"%b","payloadType":"%b","signatures":[{"keyid":"%b","sig":"%b"}]}') % (
        b64encode(payload),
        payload_type.encode(),
        key_id(public).encode(),
        b64encode(signature),
    )
