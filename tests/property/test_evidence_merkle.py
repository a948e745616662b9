"""Any log, any sizes: honest proofs verify, and one changed bit anywhere does not."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.errors import EvidenceError
from reconciler.evidence import merkle
from reconciler.evidence.merkle_tree import Tree

LOG = Tree(merkle.leaf_hash(b"%d" % number) for number in range(700))
LEAVES = [merkle.leaf_hash(b"%d" % number) for number in range(700)]


def flipped(items: Sequence[bytes], bit: int) -> tuple[bytes, ...]:
    whole = bytearray(b"".join(items))
    whole[bit // 8 % len(whole)] ^= 1 << bit % 8
    return tuple(bytes(whole[at : at + 32]) for at in range(0, len(whole), 32))


@st.composite
def two_sizes(draw: st.DrawFn) -> tuple[int, int]:
    new = draw(st.integers(1, len(LEAVES)))
    return draw(st.integers(0, new)), new


@settings(derandomize=True, max_examples=100, deadline=None)
@given(st.lists(st.binary(max_size=3), max_size=70), st.integers(0, 70))
def test_a_frontier_grows_as_the_tree_does(data: list[bytes], cut: int) -> None:
    leaves = list(map(merkle.leaf_hash, data))
    frontier = merkle.Frontier.empty().extend(leaves[:cut])
    grown = merkle.Frontier.from_hex(frontier.size, frontier.to_hex()).extend(leaves[cut:])
    assert grown == merkle.Frontier.empty().extend(leaves)
    assert grown.root() == Tree(leaves).root()


@settings(derandomize=True, max_examples=200, deadline=None)
@given(two_sizes(), st.integers(0, 5000))
def test_one_changed_bit_of_an_inclusion_proof(sizes: tuple[int, int], bit: int) -> None:
    index, size = min(sizes[0], sizes[1] - 1), sizes[1]
    proof, root = LOG.inclusion_proof(index, size), LOG.root(size)
    merkle.verify_inclusion(LEAVES[index], index, size, proof, root)
    leaf, changed_root, *changed = flipped((LEAVES[index], root, *proof), bit)
    with pytest.raises(EvidenceError):
        merkle.verify_inclusion(leaf, index, size, changed, changed_root)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(two_sizes(), st.integers(0, 5000))
def test_one_changed_bit_of_a_consistency_proof(sizes: tuple[int, int], bit: int) -> None:
    old, new = sizes
    proof, roots = LOG.consistency_proof(old, new), (LOG.root(old), LOG.root(new))
    merkle.verify_consistency(old, roots[0], new, roots[1], proof)
    start, end, *changed = flipped((*roots, *proof), bit)
    if old == 0 and start == roots[0]:
        return  # Any log begins with an empty one: the new root is not judged.
    with pytest.raises(EvidenceError):
        merkle.verify_consistency(old, start, new, end, changed)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(two_sizes(), two_sizes())
def test_a_proof_fits_only_its_own_sizes(sizes: tuple[int, int], others: tuple[int, int]) -> None:
    proof = LOG.consistency_proof(*sizes)
    roots = tuple(LOG.root(size) for size in others)
    if others == sizes or (0 in (others[0], others[1] - others[0]) and not proof):
        merkle.verify_consistency(others[0], roots[0], others[1], roots[1], proof)
    elif proof != LOG.consistency_proof(*others):
        with pytest.raises(EvidenceError):
            merkle.verify_consistency(others[0], roots[0], others[1], roots[1], proof)
