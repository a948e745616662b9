"""The Merkle tree of a log: one root says what every entry is and where it stands.

Source: RFC 6962 section 2.1 and RFC 9162 section 2.1, SHA-256. A leaf hash is
``SHA-256(0x00 || data)`` and an inner node ``SHA-256(0x01 || left || right)``, so that neither can
pass for the other.

Rule 1: A proof has exactly the hashes that its sizes ask for: one too few or too many is refused.
Rule 2: An append keeps what the next one needs, one hash for each bit set in the size. Proofs are
        made by who has the whole log: `reconciler.evidence.merkle_tree`.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reconciler.errors import EvidenceError

HASH_BYTES = 32
MAX_SIZE = 2**53 - 1
"""Sizes are written in canonical JSON too, which ends here."""

EMPTY_ROOT = hashlib.sha256(b"").digest()
"""Root of a log without entries."""

_HINT = "The log was changed, or the proof belongs to another log, entry or size."
_sha256 = hashlib.sha256


def leaf_hash(data: bytes) -> bytes:
    """The leaf hash of an entry's data; here the data is the SHA-256 of its statement."""
    return _sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return _sha256(b"\x01" + left + right).digest()


def bag(hashes: Sequence[bytes]) -> bytes:
    """The root over complete subtrees that stand side by side, the largest first."""
    if not hashes:
        return EMPTY_ROOT
    *rest, at = hashes
    for left in reversed(rest):
        at = node_hash(left, at)
    return at


@dataclass(frozen=True, slots=True)
class Frontier:
    """A log's size and the roots of its complete subtrees, from which it can grow and be named.

    Attributes:
        size: How many leaves.
        hashes: Roots of the complete subtrees, the largest (and oldest) first.
    """

    size: int
    hashes: tuple[bytes, ...]

    @classmethod
    def empty(cls) -> "Frontier":
        """A log without entries."""
        return cls(0, ())

    @classmethod
    def from_hex(cls, size: int, hashes: Sequence[str]) -> "Frontier":
        """Read what `to_hex` wrote.

        Raises:
            EvidenceError: Not as many hashes as the size asks for, or one that is not exactly 64
                lower-case hex digits.
        """
        if not _is_size(size):
            raise _refusal(f"log size {size!r:.30} is not a count of entries")
        if len(hashes) != size.bit_count():
            raise _refusal(f"a log of {size} entries has {size.bit_count()} subtrees")
        return cls(size, tuple(map(_from_hex, hashes)))

    def to_hex(self) -> list[str]:
        """The hashes as hex, the largest subtree first."""
        return [item.hex() for item in self.hashes]

    def append(self, leaf: bytes) -> "Frontier":
        """The frontier after one more leaf.

        Args:
            leaf: A leaf hash.
        """
        return self.extend((leaf,))

    def extend(self, leaves: Iterable[bytes]) -> "Frontier":
        """The frontier after many more leaves; the fold of an audit.

        Args:
            leaves: Leaf hashes in order.
        """
        # Inlined and on one list: half a million leaves go through here in an audit.
        size, stack, sha256 = self.size, list(self.hashes), _sha256
        for leaf in leaves:
            merged, bits = leaf, size
            while bits & 1:
                merged = sha256(b"\x01" + stack.pop() + merged).digest()
                bits >>= 1
            stack.append(merged)
            size += 1
        return Frontier(size, tuple(stack))

    def root(self) -> bytes:
        """The root of the log."""
        return bag(self.hashes)


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Check that a leaf is in a log (RFC 9162 section 2.1.3.2).

    Args:
        leaf: Leaf hash.
        index: Its number.
        size: Size of the log.
        proof: Sibling hashes, the leaf's own first.
        root: Root of the log.

    Raises:
        EvidenceError: It is not, or the proof is not exactly of the form that is asked for.
    """
    if not (_is_size(size) and 0 <= index < size):
        raise _refusal(f"entry {index} is not in a log of {size} entries")
    _check_hashes((leaf, root, *proof))
    # Below the split the path goes left and right; above it every sibling is on the left.
    inner = (index ^ (size - 1)).bit_length()
    border = (index >> inner).bit_count()
    if len(proof) != inner + border:
        raise _refusal(f"inclusion proof has {len(proof)} hashes, not {inner + border}")
    if _climb(leaf, index, proof, inner) != root:
        raise _refusal(f"entry {index} is not in the log of {size} entries with that root")


def verify_consistency(
    old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]
) -> None:
    """Check that a log only grew from one size to another (RFC 9162 section 2.1.4.2).

    Raises:
        EvidenceError: It shrank or was changed, or the proof is not exactly of the form asked for.
    """
    if not (_is_size(old_size) and _is_size(new_size) and old_size <= new_size):
        raise _refusal(f"a log of {old_size} entries cannot become one of {new_size}")
    _check_hashes((old_root, new_root, *proof))
    if old_size in (0, new_size):
        _check_trivial(old_size, old_root, new_size, new_root, proof)
        return
    shift = (old_size & -old_size).bit_length() - 1
    index = (old_size - 1) >> shift
    # An old size that is one complete subtree is its own starting point, and not in the proof.
    steps = list(proof) if index else [old_root, *proof]
    inner = (index ^ ((new_size - 1) >> shift)).bit_length()
    border = (index >> inner).bit_count()
    if len(steps) != 1 + inner + border:
        raise _refusal(f"consistency proof of {len(proof)} hashes has the wrong length")
    start, rest = steps[0], steps[1:]
    if _climb_left(start, index, rest, inner) != old_root:
        raise _refusal(f"the proof does not lead to the root at {old_size} entries")
    if _climb(start, index, rest, inner) != new_root:
        raise _refusal(f"the log of {new_size} entries does not begin with that of {old_size}")


def _check_trivial(
    old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]
) -> None:
    if proof:
        raise _refusal(f"nothing is to be proven from {old_size} to {new_size} entries")
    if old_size == 0 and old_root != EMPTY_ROOT:
        raise _refusal("a log without entries has another root")
    if old_size == new_size and old_root != new_root:
        raise _refusal(f"two logs of {old_size} entries have different roots")


def _climb(start: bytes, index: int, proof: Sequence[bytes], inner: int) -> bytes:
    """The root that a start and its siblings lead to."""
    at = start
    for level, sibling in enumerate(proof):
        left = level < inner and not index >> level & 1
        at = node_hash(at, sibling) if left else node_hash(sibling, at)
    return at


def _climb_left(start: bytes, index: int, proof: Sequence[bytes], inner: int) -> bytes:
    """The root of what was there before anything to the right of the start."""
    at = start
    for level, sibling in enumerate(proof):
        if level >= inner or index >> level & 1:
            at = node_hash(sibling, at)
    return at


def _is_size(size: object) -> bool:
    return type(size) is int and 0 <= size <= MAX_SIZE


def _check_hashes(hashes: Iterable[bytes]) -> None:
    if any(len(item) != HASH_BYTES for item in hashes):
        raise _refusal("a hash of the proof is not 32 bytes")


def _from_hex(text: str) -> bytes:
    try:
        found = bytes.fromhex(text)
    except (TypeError, ValueError) as error:
        raise _refusal(f"{text!r:.80} is not a hash") from error
    if len(found) != HASH_BYTES or found.hex() != text:
        raise _refusal(f"{text!r:.80} is not a hash of 64 lower-case hex digits")
    return found


def _refusal(message: str) -> EvidenceError:
    return EvidenceError(message, hint=_HINT)
