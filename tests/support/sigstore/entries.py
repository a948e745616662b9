"""Bodies of log entries: from what a client proposes to the bytes that the log keeps."""

import json
from base64 import b64decode
from typing import Any

from cryptography import x509

from tests.support.sigstore.encoding import b64, canonical, der, pae, pem, sha256


def proposal(version: int, certificate: x509.Certificate, digest: bytes, signature: bytes) -> Any:
    """What a client proposes for a signature over a digest."""
    if version == 1:
        spec = {
            "data": {"hash": {"algorithm": "sha256", "value": digest.hex()}},
            "signature": {
                "content": b64(signature),
                "publicKey": {"content": b64(pem(certificate))},
            },
        }
        return {"apiVersion": "0.0.1", "kind": "hashedrekord", "spec": spec}
    verifier = {
        "keyDetails": "PKIX_ECDSA_P256_SHA_256",
        "x509Certificate": {"rawBytes": b64(der(certificate))},
    }
    signed = {"content": b64(signature), "verifier": verifier}
    return {"hashedRekordRequestV002": {"digest": b64(digest), "signature": signed}}


def statement_proposal(
    version: int, certificate: x509.Certificate, payload: bytes, kind: str, signature: bytes
) -> Any:
    """What a client proposes for a signed statement: the second log sees no envelope."""
    if version == 2:
        return proposal(version, certificate, sha256(pae(payload, kind)), signature)
    signatures = [{"sig": b64(signature)}]
    envelope = {"payload": b64(payload), "payloadType": kind, "signatures": signatures}
    content = {"envelope": json.dumps(envelope), "verifiers": [b64(pem(certificate))]}
    return {"apiVersion": "0.0.1", "kind": "dsse", "spec": {"proposedContent": content}}


def body(version: int, proposed: Any) -> tuple[str, bytes]:
    """Kind of the entry, and its bytes. The log believes its clients: it checks no signature."""
    if version == 1:
        kind = proposed["kind"]
        spec = {"hashedrekord": _artifact, "dsse": _envelope}[kind](proposed["spec"])
        return kind, canonical({"apiVersion": "0.0.1", "kind": kind, "spec": spec})
    asked = proposed["hashedRekordRequestV002"]
    data = {"algorithm": "SHA2_256", "digest": asked["digest"]}
    spec = {"hashedRekordV002": {"data": data, "signature": asked["signature"]}}
    entry = {"apiVersion": "0.0.2", "kind": "hashedrekord", "spec": spec}
    return "hashedrekord", canonical(entry)


def _artifact(spec: Any) -> Any:
    given = spec["data"]["hash"]
    return {
        "data": {"hash": {"algorithm": given["algorithm"], "value": given["value"]}},
        "signature": {
            "content": spec["signature"]["content"],
            "publicKey": {"content": spec["signature"]["publicKey"]["content"]},
        },
    }


def _envelope(spec: Any) -> Any:
    text = spec["proposedContent"]["envelope"]
    (verifier,) = spec["proposedContent"]["verifiers"]
    envelope = json.loads(text)
    return {
        "envelopeHash": _hash(text.encode()),
        "payloadHash": _hash(b64decode(envelope["payload"])),
        "signatures": [
            {"signature": one["sig"], "verifier": verifier} for one in envelope["signatures"]
        ],
    }


def _hash(data: bytes) -> Any:
    return {"algorithm": "sha256", "value": sha256(data).hex()}
