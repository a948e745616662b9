"""pymerkle, another implementation of RFC 9162: the same trees, and the same proofs of them."""

import pymerkle
import pytest
from pymerkle.proof import InvalidProof

from reconciler.evidence import merkle
from reconciler.evidence.merkle_tree import Tree

pytestmark = pytest.mark.conformance

DATA = [b"entry %d" % number for number in range(131)]
OURS = Tree(map(merkle.leaf_hash, DATA))
SIZES = (1, 2, 3, 7, 8, 9, 31, 32, 33, 63, 64, 65, 100, 127, 128, 129, 131)


@pytest.fixture(scope="module")
def theirs() -> pymerkle.InmemoryTree:
    tree = pymerkle.InmemoryTree(algorithm="sha256")
    for data in DATA:
        tree.append_entry(data)
    return tree


def test_the_roots_are_the_same(theirs: pymerkle.InmemoryTree) -> None:
    frontier = merkle.Frontier.empty()
    for size, data in enumerate(DATA, start=1):
        frontier = frontier.append(merkle.leaf_hash(data))
        assert theirs.get_root(size) == frontier.root() == OURS.root(size)


@pytest.mark.parametrize("size", SIZES)
def test_inclusion_proofs_are_the_same(theirs: pymerkle.InmemoryTree, size: int) -> None:
    for index in range(size):
        proof = theirs.prove_inclusion(index + 1, size)
        leaf, *path = proof.path
        assert tuple(path) == OURS.inclusion_proof(index, size)
        merkle.verify_inclusion(leaf, index, size, path, theirs.get_root(size))


@pytest.mark.parametrize("new", SIZES)
def test_both_prove_the_same_growth(theirs: pymerkle.InmemoryTree, new: int) -> None:
    for old in range(1, new + 1):
        proof = theirs.prove_consistency(old, new)
        ours = OURS.consistency_proof(old, new)
        merkle.verify_consistency(old, theirs.get_root(old), new, theirs.get_root(new), ours)
        pymerkle.verify_consistency(OURS.root(old), OURS.root(new), proof)


def test_both_refuse_another_root(theirs: pymerkle.InmemoryTree) -> None:
    proof = theirs.prove_inclusion(5, 100)
    with pytest.raises(InvalidProof):
        pymerkle.verify_inclusion(proof.path[0], OURS.root(99), proof)
    with pytest.raises(Exception, match="is not in the log"):
        merkle.verify_inclusion(proof.path[0], 4, 100, proof.path[1:], OURS.root(99))
