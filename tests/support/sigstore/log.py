"""Transparency log (Rekor), version 1 and 2: an RFC 6962 tree with signed checkpoints.

Version 1 signs with ECDSA, promises an entry a time (SET) and knows entries of several kinds.
Version 2 signs with Ed25519, gives no time, and knows one kind of entry.
"""

import threading
import time
from base64 import b64decode
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.support.sigstore.encoding import b64, canonical, sha256, spki
from tests.support.sigstore.faults import Fault, Faults

HOST = "127.0.0.1"
_TREE = 7000000000000000001


class TransparencyLog:
    """One log; it never hands out index 0, which Go clients would leave out of their JSON."""

    def __init__(self, version: int) -> None:
        self.version = version
        self.key = _key(version)
        self._other = _key(version)
        # cosign takes the origin from the host of the log's address.
        self.origin = f"{HOST} - {_TREE}" if version == 1 else HOST
        self._leaves = [sha256(b"\0first entry"), sha256(b"\0second entry")]
        self._lock = threading.Lock()

    @property
    def id(self) -> bytes:
        public = self.key.public_key()
        if self.version == 1:
            return sha256(spki(public))
        raw = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
        return sha256(self.origin.encode() + b"\n\x01" + raw)

    def entry(self, kind: str, body: bytes, faults: Faults) -> dict[str, Any]:
        """Append an entry; how it got in, as the bundle format says it."""
        with self._lock:
            self._leaves.append(sha256(b"\0" + body))
            leaves = tuple(self._leaves)
        index = len(leaves) - 1
        entry = {
            "logIndex": str(index),
            "logId": {"keyId": b64(self.id)},
            "kindVersion": {"kind": kind, "version": "0.0.1" if self.version == 1 else "0.0.2"},
            "inclusionProof": self._proof(leaves, index, faults),
            "canonicalizedBody": b64(body),
        }
        if self.version == 1:
            entry |= self._promise(index, body, faults)
        if Fault.NO_PROOF in faults:
            del entry["inclusionProof"]
        return entry

    def _proof(self, leaves: tuple[bytes, ...], index: int, faults: Faults) -> dict[str, Any]:
        path = _path(leaves, index)
        if Fault.PROOF_HASH in faults:
            path[0] = sha256(path[0])
        proof = {
            "logIndex": str(index - 1 if Fault.PROOF_INDEX in faults else index),
            "rootHash": b64(_root(leaves)),
            "treeSize": str(len(leaves)),
            "hashes": [b64(node) for node in path],
            "checkpoint": {"envelope": self._checkpoint(leaves, faults)},
        }
        if Fault.NO_CHECKPOINT in faults:
            del proof["checkpoint"]
        return proof

    def _checkpoint(self, leaves: tuple[bytes, ...], faults: Faults) -> str:
        if Fault.CHECKPOINT_OF_SHORTER_LOG in faults:
            leaves = leaves[:-1]
        text = f"{self.origin}\n{len(leaves)}\n{b64(_root(leaves))}\n"
        other = Fault.CHECKPOINT_BY_OTHER_KEY in faults
        signature = self.id[:4] + self._sign(text.encode(), other=other)
        return f"{text}\n\N{EM DASH} {HOST} {b64(signature)}\n"

    def _promise(self, index: int, body: bytes, faults: Faults) -> dict[str, Any]:
        at = int(time.time())
        signed = {
            "body": b64(body),
            "integratedTime": at,
            "logID": self.id.hex(),
            "logIndex": index,
        }
        other = Fault.PROMISE_BY_OTHER_KEY in faults
        promise = {"signedEntryTimestamp": b64(self._sign(canonical(signed), other=other))}
        shown = at + 60 if Fault.PROMISE_MOVED in faults else at
        said: dict[str, Any] = {"integratedTime": str(shown)}
        return said if Fault.NO_PROMISE in faults else said | {"inclusionPromise": promise}

    def _sign(self, data: bytes, *, other: bool) -> bytes:
        key = self._other if other else self.key
        if isinstance(key, ed25519.Ed25519PrivateKey):
            return key.sign(data)
        return key.sign(data, ec.ECDSA(hashes.SHA256()))


def as_version_1(entry: dict[str, Any]) -> dict[str, Any]:
    """An entry as the first version of the programming interface returns it."""
    proof = entry["inclusionProof"]
    inclusion = {
        "logIndex": int(proof["logIndex"]),
        "rootHash": _hex(proof["rootHash"]),
        "treeSize": int(proof["treeSize"]),
        "hashes": [_hex(node) for node in proof["hashes"]],
        "checkpoint": proof["checkpoint"]["envelope"],
    }
    promise = entry["inclusionPromise"]["signedEntryTimestamp"]
    return {
        "f" * 16 + "0" * 64: {
            "body": entry["canonicalizedBody"],
            "integratedTime": int(entry["integratedTime"]),
            "logID": _hex(entry["logId"]["keyId"]),
            "logIndex": int(entry["logIndex"]),
            "verification": {"inclusionProof": inclusion, "signedEntryTimestamp": promise},
        }
    }


def _hex(text: str) -> str:
    return b64decode(text).hex()


def _key(version: int) -> Any:
    if version == 1:
        return ec.generate_private_key(ec.SECP256R1())
    return ed25519.Ed25519PrivateKey.generate()


def _split(size: int) -> int:
    return 1 << (size - 1).bit_length() - 1


def _root(leaves: tuple[bytes, ...]) -> bytes:
    if len(leaves) == 1:
        return leaves[0]
    half = _split(len(leaves))
    return sha256(b"\x01" + _root(leaves[:half]) + _root(leaves[half:]))


def _path(leaves: tuple[bytes, ...], index: int) -> list[bytes]:
    if len(leaves) == 1:
        return []
    half = _split(len(leaves))
    if index < half:
        return [*_path(leaves[:half], index), _root(leaves[half:])]
    return [*_path(leaves[half:], index - half), _root(leaves[:half])]
