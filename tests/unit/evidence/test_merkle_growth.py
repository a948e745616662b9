"""A consistency proof from a frontier is the one that the whole tree gives."""

import pytest

from reconciler.errors import EvidenceError
from reconciler.evidence.merkle import Frontier, leaf_hash, verify_consistency
from reconciler.evidence.merkle_growth import growth_proof
from reconciler.evidence.merkle_tree import Tree

LEAVES = [leaf_hash(b"%d" % number) for number in range(70)]
TREE = Tree(LEAVES)


@pytest.mark.parametrize("old", [*range(36), 63, 64, 65])
def test_it_is_the_proof_of_the_whole_tree_and_verifies(old: int) -> None:
    frontier = Frontier.empty().extend(LEAVES[:old])
    for new in range(old, len(LEAVES) + 1):
        proof = growth_proof(frontier, LEAVES[old:new])
        assert proof == TREE.consistency_proof(old, new)
        verify_consistency(old, TREE.root(old), new, TREE.root(new), proof)


def test_a_frontier_that_lacks_a_subtree_is_refused() -> None:
    with pytest.raises(EvidenceError, match="has 2 subtrees, not 1"):
        growth_proof(Frontier(6, (LEAVES[0],)), LEAVES[6:])
