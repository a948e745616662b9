"""One entry shown alone: its place in a log, as a text that anybody can check offline.

Source: C2SP tlog-proof, ``c2sp.org/tlog-proof@v1``. The text holds the entry's number, the hashes
from its leaf to the root, and the checkpoint with that root, signed by the log and by witnesses.
Whoever checks it holds the entry itself, the log's key and the witnesses' keys, and no repository.

Rule 1: The extra data is nobody's word: no signature covers it.
Rule 2: How many witnesses are enough is said by who checks, each time.
"""

import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.errors import EvidenceError
from reconciler.evidence.merkle import HASH_BYTES, MAX_SIZE, leaf_hash, verify_inclusion
from reconciler.evidence.note import Checkpoint, cosignatures, open_checkpoint
from reconciler.evidence.signed_note import MAX_NOTE, decode64

HEADER = "c2sp.org/tlog-proof@v1"
SUFFIX = ".tlog-proof"
MAX_EXTRA = 64 * 1024
MAX_PROOF = 2 * MAX_EXTRA + MAX_NOTE

_MAX_HASHES = 63
_BASE64 = r"[A-Za-z0-9+/]+={0,2}"
_HEAD = re.compile(
    rf"{re.escape(HEADER)}\n(?:extra ({_BASE64})\n)?index (0|[1-9][0-9]{{0,15}})\n"
    rf"((?:{_BASE64}\n){{0,{_MAX_HASHES}}})\n"
)
_HINT = "A proof is one text as `reconciler` writes it (c2sp.org/tlog-proof), kept as it is."


@dataclass(frozen=True, slots=True)
class TlogProof:
    """A proof whose form is right; what it proves is `verify`'s business.

    Attributes:
        index: Number of the entry, counted from 0: its ``seq``.
        hashes: Sibling hashes, the leaf's own first.
        note: The signed checkpoint with its cosignatures.
        extra: Data for the reader that nothing vouches for.
    """

    index: int
    hashes: tuple[bytes, ...]
    note: str
    extra: bytes = b""


@dataclass(frozen=True, slots=True)
class Proven:
    """What a proof has proven.

    Attributes:
        index: Number of the entry.
        checkpoint: The log that holds it.
        cosigned: Which witnesses vouch for that log, and when they saw it (seconds since 1970).
    """

    index: int
    checkpoint: Checkpoint
    cosigned: Mapping[str, int]


def write(proof: TlogProof) -> str:
    """The text of a proof.

    Raises:
        EvidenceError: Something in it cannot be read back as it is.
    """
    extra = f"extra {b64encode(proof.extra).decode()}\n" if proof.extra else ""
    hashes = "".join(f"{b64encode(item).decode()}\n" for item in proof.hashes)
    text = f"{HEADER}\n{extra}index {proof.index}\n{hashes}\n{proof.note}"
    if read(text) != proof:
        raise _refusal("proof holds what its text cannot say")
    return text


def read(text: str) -> TlogProof:
    """Read the form of a proof strictly; the checkpoint in it is not yet looked at.

    Raises:
        EvidenceError: Too large, or anything that `write` would not write.
    """
    match = _HEAD.match(text) if len(text) <= MAX_PROOF else None
    if match is None:
        raise _refusal("text is not a tlog-proof")
    extra, index, lines = match.groups()
    if int(index) >= MAX_SIZE:
        raise _refusal(f"{index} is not the number of an entry")
    data = decode64(extra) if extra else b""
    if len(data) > MAX_EXTRA:
        raise _refusal(f"extra data of {len(data)} bytes is larger than {MAX_EXTRA}")
    hashes = tuple(decode64(line, HASH_BYTES) for line in lines.splitlines())
    return TlogProof(int(index), hashes, text[match.end() :], data)


def verify(
    text: str,
    digest: bytes,
    *,
    origin: str,
    public: bytes,
    witnesses: Mapping[str, bytes],
    quorum: int,
) -> Proven:
    """Check that a log holds an entry and that enough witnesses saw that log.

    Args:
        text: The proof.
        digest: SHA-256 of the entry's statement, 32 bytes, computed from the statement itself.
        origin: Which log it must be.
        public: Raw public key of the log.
        witnesses: Name to raw public key of the witnesses that count.
        quorum: How many of them must have cosigned; 0 trusts the log's key alone.

    Raises:
        EvidenceError: Not a proof, of another entry or log, a signature that does not fit, or too
            few cosignatures.
    """
    proof = read(text)
    checkpoint = open_checkpoint(proof.note, origin, public)
    cosigned = cosignatures(proof.note, witnesses)
    if len(cosigned) < quorum:
        raise EvidenceError(
            f"checkpoint is cosigned by {len(cosigned)} of the {quorum} witnesses that are needed",
            hint="Ask more of the known witnesses for a cosignature and write the proof again.",
        )
    leaf = leaf_hash(digest)
    verify_inclusion(leaf, proof.index, checkpoint.size, proof.hashes, checkpoint.root)
    return Proven(proof.index, checkpoint, cosigned)


def _refusal(message: str) -> EvidenceError:
    return EvidenceError(message, hint=_HINT)
