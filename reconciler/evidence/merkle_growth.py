"""A consistency proof from the older log's frontier and the new leaves, without any older leaf.

Source: RFC 6962 section 2.1.2. Every node of such a proof is either a complete subtree of the older
log that its frontier names, or is made of new leaves only, or of both: so whoever appends can prove
growth without reading its history.
"""

from collections.abc import Sequence

from reconciler.errors import EvidenceError
from reconciler.evidence.merkle import Frontier, bag, node_hash

Node = tuple[int, int]
"""Height of a complete subtree, and its number among those of that height."""


def growth_proof(old: Frontier, leaves: Sequence[bytes]) -> tuple[bytes, ...]:
    """Why the log with these leaves added begins with the older log.

    Args:
        old: The older log.
        leaves: Leaf hashes that came after it, in order.

    Returns:
        The proof; nothing needs to be shown where the older log is empty or nothing was added.

    Raises:
        EvidenceError: The frontier is not one.
    """
    if old.size == 0 or not leaves:
        return ()
    nodes = _known(old)
    for number, leaf in enumerate(leaves, start=old.size):
        _add(nodes, number, leaf)
    proof, low, high = [], 0, old.size + len(leaves)
    while old.size != high:
        middle = low + (1 << (high - low - 1).bit_length() - 1)
        if old.size <= middle:
            proof.append(_range(nodes, middle, high))
            high = middle
        else:
            proof.append(_range(nodes, low, middle))
            low = middle
    if low:  # Else the verifier knows it: it is the old root.
        proof.append(_range(nodes, low, high))
    return tuple(reversed(proof))


def _known(old: Frontier) -> dict[Node, bytes]:
    """Complete subtrees that the frontier names, by their place."""
    nodes: dict[Node, bytes] = {}
    heights = [
        height for height in reversed(range(old.size.bit_length())) if old.size >> height & 1
    ]
    if len(heights) != len(old.hashes):
        message = f"a log of {old.size} entries has {len(heights)} subtrees, not {len(old.hashes)}"
        raise EvidenceError(message, hint="Read the frontier from the ledger again.")
    begin = 0
    for height, digest in zip(heights, old.hashes, strict=True):
        nodes[height, begin >> height] = digest
        begin += 1 << height
    return nodes


def _add(nodes: dict[Node, bytes], number: int, leaf: bytes) -> None:
    nodes[0, number] = leaf
    height = 0
    while number & 1:
        left, right = nodes[height, number - 1], nodes[height, number]
        height, number = height + 1, number >> 1
        nodes[height, number] = node_hash(left, right)


def _range(nodes: dict[Node, bytes], low: int, high: int) -> bytes:
    """Root over leaves ``low`` to ``high``; ``low`` is where a subtree of that size begins."""
    parts = []
    while low < high:
        height = (high - low).bit_length() - 1
        parts.append(nodes[height, low >> height])
        low += 1 << height
    return bag(parts)
