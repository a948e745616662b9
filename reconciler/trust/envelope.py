"""The envelope of a statement that a person or a machine signed with an SSH key.

DSSE whose signature is an SSHSIG over the pre-authentication encoding, because an agent or a
hardware key signs nothing else: ``ssh-keygen -Y sign -n reconciler-attestation`` over the bytes
of `to_be_signed` makes it, and ``ssh-keygen -Y verify`` checks it.

Rule 1: One envelope has one form: canonical JSON, one signature, one key, canonical base64.
Rule 2: The signature is checked before anybody parses the payload.
Rule 3: The namespace is our own: a signature of a commit or a file is none of a statement.
"""

import re
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.errors import EvidenceError
from reconciler.evidence import dsse, sshsig

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

NAMESPACE = "reconciler-attestation"
MAX_ENVELOPE = 256 * 1024

# Canonical JSON of an envelope leaves no freedom but in these three strings.
_ENVELOPE = re.compile(
    rb'\{"payload":"([A-Za-z0-9+/=]*)","payloadType":"application/vnd\.in-toto\+json",'
    rb'"signatures":\[\{"keyid":"(SHA256:[A-Za-z0-9+/]{43})","sig":"([A-Za-z0-9+/=]{1,1024})"\}\]\}'
)
_TO_SIGN = re.compile(rb"DSSEv1 ([0-9]+) ([^ ]+) ([0-9]+) (.*)", re.DOTALL)
_HINT = "Sign it again with `reconciler attest`; an envelope is never edited or re-wrapped."


@dataclass(frozen=True, slots=True)
class Opened:
    """What a signature that holds says.

    Attributes:
        payload: The bytes that were signed; `reconciler.trust.statements.read` reads them.
        public: The key: 32 raw bytes, or the whole key blob of a hardware key.
    """

    payload: bytes
    public: bytes


def to_be_signed(payload: bytes) -> bytes:
    """The bytes that ``ssh-keygen -Y sign`` signs: the pre-authentication encoding of DSSE."""
    return dsse.pae(payload, dsse.PAYLOAD_TYPE)


def payload_of(to_sign: bytes) -> bytes:
    """The payload in what `to_be_signed` made, for who signs elsewhere.

    Raises:
        EvidenceError: It is anything else.
    """
    match = _TO_SIGN.fullmatch(to_sign)
    if match is None or to_be_signed(match[4]) != to_sign:
        raise _refusal("these are not the bytes that an attestation signs")
    return match[4]


def seal(payload: bytes, key: "Ed25519PrivateKey") -> bytes:
    """Sign a payload and wrap it.

    Args:
        payload: The bytes to keep; they come back from `open_envelope` unchanged.
        key: Ed25519 private key.
    """
    return wrap(payload, sshsig.sign(key, to_be_signed(payload), NAMESPACE))


def wrap(payload: bytes, armor: str) -> bytes:
    """The envelope of a signature that somebody else made.

    Args:
        payload: What `to_be_signed` was signed of.
        armor: What ``ssh-keygen -Y sign`` wrote, with or without the newline at its end.

    Raises:
        EvidenceError: It is no signature of these bytes in our namespace.
    """
    blob = sshsig.blob_of(armor.removesuffix("\n"))
    public = sshsig.verify_blob(blob, to_be_signed(payload), NAMESPACE, sk=True)
    data = _envelope(payload, public, blob)
    if len(data) > MAX_ENVELOPE:
        raise _refusal(f"envelope of {len(data)} bytes is larger than {MAX_ENVELOPE}")
    return data


def open_envelope(data: bytes) -> Opened:
    """Check the signature of an envelope. Whether its key may sign this is another question.

    Raises:
        EvidenceError: Not the canonical envelope, or the signature does not fit.
    """
    match = _ENVELOPE.fullmatch(data) if len(data) <= MAX_ENVELOPE else None
    if match is None:
        raise _refusal("envelope is not a canonical envelope of a statement")
    try:
        payload, blob = b64decode(match[1]), b64decode(match[3])
    except ValueError as error:
        raise _refusal(f"envelope is not base64: {error}") from error
    public = sshsig.verify_blob(blob, to_be_signed(payload), NAMESPACE, sk=True)
    if data != _envelope(payload, public, blob):
        raise _refusal("envelope names another key, or holds base64 that is not canonical")
    return Opened(payload, public)


def _envelope(payload: bytes, public: bytes, blob: bytes) -> bytes:
    return (b'{"payload":"%b","payloadType":"%b","signatures":[{"keyid":"%b","sig":"%b"}]}') % (
        b64encode(payload),
        dsse.PAYLOAD_TYPE.encode(),
        sshsig.fingerprint(public).encode(),
        b64encode(blob),
    )


def _refusal(message: str) -> EvidenceError:
    return EvidenceError(message, hint=_HINT)
