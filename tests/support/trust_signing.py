"""What people, CI and their keys sign in a trusted fleet, written by hand from the formats.

Nothing here comes from `reconciler`: canonical JSON, DSSE, SSHSIG (OpenSSH ``PROTOCOL.sshsig``) and
the signatures of hardware keys (``PROTOCOL.u2f``) are built from their descriptions, so that a test
which passes says something about the format and not about two uses of one function.
"""

import hashlib
import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from tests.support.evidence_keys import test_key

GIT = "git"
ATTESTATION = "reconciler-attestation"
PAYLOAD_TYPE = "application/vnd.in-toto+json"

PLAIN = "ssh-ed25519"
HARDWARE = "sk-ssh-ed25519@openssh.com"
_APPLICATION = b"ssh:"
TOUCHED = 0x01
"""Flag of a hardware key: a person touched it."""


def is_hardware(name: str) -> bool:
    """Whether a name stands for a hardware key: it ends in ``-sk``."""
    return name.endswith("-sk")


def key_blob(name: str) -> bytes:
    """A public key as OpenSSH writes it between the type and the comment, decoded."""
    public = test_key(name).public_key().public_bytes_raw()
    if is_hardware(name):
        return _string(HARDWARE.encode()) + _string(public) + _string(_APPLICATION)
    return _string(PLAIN.encode()) + _string(public)


def fingerprint(name: str) -> str:
    """``SHA256:...`` of a key."""
    return "SHA256:" + b64encode(hashlib.sha256(key_blob(name)).digest()).decode().rstrip("=")


def public_text(name: str) -> str:
    """Type and key as two words."""
    kind = HARDWARE if is_hardware(name) else PLAIN
    return f"{kind} {b64encode(key_blob(name)).decode()}"


def sshsig(name: str, message: bytes, namespace: str, *, flags: int = TOUCHED) -> bytes:
    """The raw SSHSIG blob of a message."""
    digest = hashlib.sha512(message).digest()
    fields = (namespace.encode(), b"", b"sha512", digest)
    signed = b"SSHSIG" + b"".join(map(_string, fields))
    signature = _signature(name, signed, flags)
    parts = (key_blob(name), namespace.encode(), b"", b"sha512", signature)
    return b"SSHSIG\x00\x00\x00\x01" + b"".join(map(_string, parts))


def armored(blob: bytes) -> str:
    """The armor that ``ssh-keygen -Y sign`` writes, without a final newline."""
    text = b64encode(blob).decode()
    lines = [text[at : at + 70] for at in range(0, len(text), 70)]
    return "\n".join(["-----BEGIN SSH SIGNATURE-----", *lines, "-----END SSH SIGNATURE-----"])


def canonical(value: Any) -> bytes:
    """Canonical JSON of plain values."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def pae(payload: bytes, kind: str = PAYLOAD_TYPE) -> bytes:
    """DSSE's pre-authentication encoding."""
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind.encode(), len(payload), payload)


def envelope(payload: bytes, name: str, *, namespace: str = ATTESTATION, flags: int = 1) -> bytes:
    """The envelope of a payload, signed by the key of a name."""
    blob = sshsig(name, pae(payload), namespace, flags=flags)
    signature = {"keyid": fingerprint(name), "sig": b64encode(blob).decode()}
    body = {"payload": b64encode(payload).decode(), "payloadType": PAYLOAD_TYPE}
    return canonical({**body, "signatures": [signature]})


def moment(at: datetime) -> str:
    """A time as statements write it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def statement(kind: str, subject: Mapping[str, Any], predicate: Mapping[str, Any]) -> bytes:
    """The payload of an attestation, ``fleet-approval`` for example."""
    return canonical(
        {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [dict(subject)],
            "predicateType": f"urn:reconciler:attestation:{kind}:v1",
            "predicate": dict(predicate),
        }
    )


def of_tree(tree: str) -> dict[str, Any]:
    """Subject of an approval."""
    return {"name": "tree", "digest": {"gitTree": tree}}


def of_commit(raw: bytes) -> dict[str, Any]:
    """Subject of everything else: the digest of the raw commit."""
    return {"name": "commit", "digest": {"sha256": hashlib.sha256(raw).hexdigest()}}


def files_sha256(contents: Sequence[tuple[str, bytes]]) -> str:
    """Digest over what ``sha256sum`` prints for files sorted by the bytes of their paths."""
    ordered = sorted(contents, key=lambda item: item[0].encode())
    lines = (f"{hashlib.sha256(data).hexdigest()}  {path}\n" for path, data in ordered)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _signature(name: str, signed: bytes, flags: int) -> bytes:
    key = test_key(name)
    if not is_hardware(name):
        return _string(PLAIN.encode()) + _string(key.sign(signed))
    tail = bytes([flags]) + (7).to_bytes(4, "big")
    message = hashlib.sha256(_APPLICATION).digest() + tail + hashlib.sha256(signed).digest()
    return _string(HARDWARE.encode()) + _string(key.sign(message)) + tail


def _string(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data
