"""Detached OpenTimestamps proofs: read by the reference library, and then held to less.

The library accepts more than calendars write. What it leaves open is closed here.

Rule 1: SHA-256, append and prepend are the only operations. A way through SHA-1 could be prepared
    in advance for a text chosen later; one through the rarer operations nobody has ever needed.
Rule 2: A proof has one form: what was read must be, byte for byte, what the library would write.
"""

import warnings
from collections.abc import Iterator
from typing import Any

from opentimestamps.core.notary import (
    BitcoinBlockHeaderAttestation,
    PendingAttestation,
)
from opentimestamps.core.op import (
    MsgValueError,
    OpAppend,
    OpPrepend,
    OpSHA256,
)
from opentimestamps.core.serialize import (
    BytesDeserializationContext,
    BytesSerializationContext,
    DeserializationError,
)
from opentimestamps.core.timestamp import (
    DetachedTimestampFile,
    Timestamp,
)

from reconciler.errors import EvidenceError
from reconciler.ledger.anchors.model import MAX_PROOF

_OPERATIONS = (OpSHA256, OpAppend, OpPrepend)
_MAX_HEIGHT = 2**31 - 1
_HINT = "Compare with the proof in another copy of the ledger; `ots info FILE` shows what it holds."

Stamp = Any
"""The library's ``Timestamp``; it has no types of its own."""


def read_file(proof: bytes) -> Stamp:
    """The tree of a proof file; its root message is the digest that was stamped.

    Raises:
        EvidenceError: Not a proof of a SHA-256 digest in the one form, or not of the operations
            that are accepted.
    """
    if len(proof) > MAX_PROOF:
        raise refusal(f"proof of {len(proof)} bytes is larger than {MAX_PROOF}")
    read = _parsed(DetachedTimestampFile.deserialize, BytesDeserializationContext(proof))
    if type(read.file_hash_op) is not OpSHA256:
        raise refusal("proof is not of a SHA-256 digest")
    check(read.timestamp)
    if write_file(read.timestamp) != proof:
        raise refusal("proof is not in the form that the library writes")
    return read.timestamp


def read_answer(answer: bytes, message: bytes) -> Stamp:
    """The tree that a calendar answered for a message.

    Raises:
        EvidenceError: Not a tree, followed by other bytes, or not of accepted operations.
    """
    context = BytesDeserializationContext(answer)
    stamp = _parsed(Timestamp.deserialize, context, message)
    _parsed(context.assert_eof)
    check(stamp)
    return stamp


def write_file(stamp: Stamp) -> bytes:
    """A tree as a proof file, the one that ``ots`` reads."""
    context = BytesSerializationContext()
    DetachedTimestampFile(OpSHA256(), stamp).serialize(context)
    return bytes(context.getbytes())


def check(stamp: Stamp) -> None:
    """Hold a tree to the rules of this file.

    Raises:
        EvidenceError: Another operation, or a block height that cannot be.
    """
    for node in nodes(stamp):
        for operation in node.ops:
            if type(operation) not in _OPERATIONS:
                raise refusal(f"proof uses the operation {operation.TAG_NAME}")
    if any(not 0 < claim.height <= _MAX_HEIGHT for _, claim in blocks(stamp)):
        raise refusal("proof names a block height that cannot be")


def nodes(stamp: Stamp) -> Iterator[Stamp]:
    """Every node of a tree."""
    yield stamp
    for after in stamp.ops.values():
        yield from nodes(after)


def blocks(stamp: Stamp) -> list[tuple[bytes, Any]]:
    """What a tree claims of Bitcoin: the Merkle root, and the library's attestation."""
    found = stamp.all_attestations()
    claims = [item for item in found if type(item[1]) is BitcoinBlockHeaderAttestation]
    return sorted(claims, key=lambda item: (item[1].height, item[0]))


def waits(stamp: Stamp) -> list[tuple[Stamp, str]]:
    """The nodes that a calendar promised to carry on, each with that calendar's address."""
    return [
        (node, claim.uri)
        for node in nodes(stamp)
        for claim in sorted(node.attestations)
        if type(claim) is PendingAttestation
    ]


def refusal(message: str) -> EvidenceError:
    """The error for a proof that is not as it must be."""
    return EvidenceError(message, hint=_HINT)


def _parsed(read: Any, *arguments: Any) -> Any:
    try:
        with warnings.catch_warnings():
            # The library warns of an operation that is refused anyway.
            warnings.simplefilter("ignore", PendingDeprecationWarning)
            return read(*arguments)
    except (DeserializationError, MsgValueError, ValueError, RecursionError) as error:
        message = f"proof is not an OpenTimestamps proof: {error!s:.200}"
        raise refusal(message) from error
