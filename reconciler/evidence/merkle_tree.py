"""Proofs about a log, made by who has all of it.

Source: RFC 6962 section 2.1. Each complete subtree is hashed once when its last leaf comes in, so a
proof costs a few look-ups however large the log is.
"""

from collections.abc import Iterable, Iterator, Sequence

from reconciler.errors import EvidenceError
from reconciler.evidence.merkle import bag, node_hash

_HINT = "Ask for entries and sizes that this log has."


class Tree:
    """A whole log in memory, which makes proofs: each complete subtree is hashed once."""

    def __init__(self, leaves: Iterable[bytes] = ()) -> None:
        """Args: leaves: Leaf hashes in order."""
        self._levels: list[list[bytes]] = [[]]
        for leaf in leaves:
            self.append(leaf)

    def __len__(self) -> int:
        return len(self._levels[0])

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash."""
        levels, height, merged = self._levels, 0, leaf
        levels[0].append(merged)
        while not len(levels[height]) & 1:
            merged = node_hash(levels[height][-2], merged)
            height += 1
            if height == len(levels):
                levels.append([])
            levels[height].append(merged)

    def root(self, size: int | None = None) -> bytes:
        """The root as it was when the log had ``size`` leaves, by default now.

        Raises:
            EvidenceError: The log never had that size.
        """
        size = len(self) if size is None else size
        self._check_size(size)
        return self._range(0, size)

    def inclusion_proof(self, index: int, size: int) -> tuple[bytes, ...]:
        """Why a leaf is in the log of a size: the siblings on its way up, the leaf's own first.

        Raises:
            EvidenceError: The log never had that size, or no such leaf at it.
        """
        self._check_size(size)
        if not 0 <= index < size:
            raise _refusal(f"entry {index} is not in a log of {size} entries")
        proof, low, high = [], 0, size
        while high - low > 1:
            middle = low + _split(high - low)
            if index < middle:
                proof.append(self._range(middle, high))
                high = middle
            else:
                proof.append(self._range(low, middle))
                low = middle
        return tuple(reversed(proof))

    def consistency_proof(self, old: int, new: int) -> tuple[bytes, ...]:
        """Why the log of size ``new`` begins with the log of size ``old``.

        Nothing needs to be shown where ``old`` is 0 or equals ``new``.

        Raises:
            EvidenceError: The log never had one of the sizes, or the old one is larger.
        """
        self._check_size(new)
        if not 0 <= old <= new:
            raise _refusal(f"a log of {new} entries was never preceded by one of {old}")
        if old in (0, new):
            return ()
        return tuple(self._consistency(old, new))

    def _consistency(self, old: int, new: int) -> Iterator[bytes]:
        """SUBPROOF of RFC 6962 section 2.1.2, walked from the root and given out backwards."""
        proof, low, high = [], 0, new
        while old != high:
            middle = low + _split(high - low)
            if old <= middle:
                proof.append(self._range(middle, high))
                high = middle
            else:
                proof.append(self._range(low, middle))
                low = middle
        if low:  # Else the verifier knows it: it is the old root.
            proof.append(self._range(low, high))
        return reversed(proof)

    def _range(self, low: int, high: int) -> bytes:
        """Root over leaves ``low`` to ``high``; ``low`` is where a subtree of that size begins."""
        parts = []
        while low < high:
            height = (high - low).bit_length() - 1
            parts.append(self._levels[height][low >> height])
            low += 1 << height
        return bag(parts)

    def _check_size(self, size: int) -> None:
        if not 0 <= size <= len(self):
            raise _refusal(f"the log has {len(self)} entries, not {size}")


def inclusion_proof(leaves: Sequence[bytes], index: int, size: int) -> tuple[bytes, ...]:
    """One inclusion proof; who makes several keeps a `Tree`.

    Args:
        leaves: Leaf hashes from the first on, at least ``size`` of them.
        index: Number of the leaf.
        size: Size of the log that the proof is for.

    Raises:
        EvidenceError: There are fewer leaves, or no such leaf at that size.
    """
    return Tree(leaves[: max(size, 0)]).inclusion_proof(index, size)


def consistency_proof(leaves: Sequence[bytes], old: int, new: int) -> tuple[bytes, ...]:
    """One consistency proof; who makes several keeps a `Tree`.

    Args:
        leaves: Leaf hashes from the first on, at least ``new`` of them.
        old: Size that was seen before.
        new: Size now.

    Raises:
        EvidenceError: There are fewer leaves, or the old size is larger.
    """
    return Tree(leaves[: max(new, 0)]).consistency_proof(old, new)


def _split(width: int) -> int:
    """The largest power of two below a width of at least 2."""
    return 1 << (width - 1).bit_length() - 1


def _refusal(message: str) -> EvidenceError:
    return EvidenceError(message, hint=_HINT)
