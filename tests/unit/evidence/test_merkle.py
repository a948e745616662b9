"""The tree against the reference test of Certificate Transparency and the words of RFC 6962."""

import pytest

from reconciler.evidence import merkle
from reconciler.evidence.merkle import EMPTY_ROOT, Frontier, leaf_hash, node_hash
from reconciler.evidence.merkle_tree import Tree, consistency_proof, inclusion_proof
from tests.support.refusals import refused

# Inputs, roots and proofs of merkletree/merkle_tree_test.cc of google/certificate-transparency.
LEAVES = [
    leaf_hash(bytes.fromhex(text))
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = (
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
INCLUSION = {
    (0, 8): (
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ),
    (5, 8): (
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ),
    (2, 3): ("fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",),
    (1, 5): (
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ),
}
CONSISTENCY = {
    (1, 1): (),
    (1, 8): INCLUSION[0, 8],
    (6, 8): (
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ),
    (2, 5): (
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ),
}
MANY = [leaf_hash(b"%d" % number) for number in range(66)]
TREE = Tree(MANY)


def recursive(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962 section 2.1 as it is written there."""
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(recursive(leaves[:split]), recursive(leaves[split:]))


@pytest.mark.parametrize("size", range(9))
def test_roots_of_the_reference(size: int) -> None:
    frontier = Frontier.empty().extend(LEAVES[:size])
    assert frontier.root().hex() == Tree(LEAVES).root(size).hex() == ROOTS[size]


@pytest.mark.parametrize(("index", "size"), INCLUSION)
def test_inclusion_proofs_of_the_reference(index: int, size: int) -> None:
    proof = inclusion_proof(LEAVES, index, size)
    assert tuple(item.hex() for item in proof) == INCLUSION[index, size]
    merkle.verify_inclusion(LEAVES[index], index, size, proof, bytes.fromhex(ROOTS[size]))


@pytest.mark.parametrize(("old", "new"), CONSISTENCY)
def test_consistency_proofs_of_the_reference(old: int, new: int) -> None:
    proof = consistency_proof(LEAVES, old, new)
    assert tuple(item.hex() for item in proof) == CONSISTENCY[old, new]
    roots = [bytes.fromhex(ROOTS[size]) for size in (old, new)]
    merkle.verify_consistency(old, roots[0], new, roots[1], proof)


def test_every_proof_of_every_size_verifies() -> None:
    frontier = Frontier.empty()
    for size in range(len(MANY) + 1):
        root = frontier.root()
        assert root == TREE.root(size) == recursive(MANY[:size])
        assert Frontier.from_hex(size, frontier.to_hex()) == frontier
        for index in range(size):
            proof = TREE.inclusion_proof(index, size)
            merkle.verify_inclusion(MANY[index], index, size, proof, root)
        for old in range(size + 1):
            proof = TREE.consistency_proof(old, size)
            merkle.verify_consistency(old, TREE.root(old), size, root, proof)
        frontier = frontier.extend(MANY[size : size + 1])


def test_a_proof_is_for_one_place_only() -> None:
    for size in range(1, 34):
        for index in range(size):
            proof, root = TREE.inclusion_proof(index, size), TREE.root(size)
            for other in range(size):
                if other != index:
                    refused(merkle.verify_inclusion, MANY[index], other, size, proof, root)


def test_a_proof_of_another_length_is_refused() -> None:
    for index, size in ((0, 1), (3, 7), (6, 7), (63, 66)):
        proof, root = TREE.inclusion_proof(index, size), TREE.root(size)
        for wrong in (proof[:-1] if proof else (root,), (*proof, root)):
            text = refused(merkle.verify_inclusion, MANY[index], index, size, wrong, root)
            assert f"{len(wrong)} hashes" in text
    for old, new in ((1, 2), (4, 8), (5, 7), (64, 66)):
        proof, roots = TREE.consistency_proof(old, new), (TREE.root(old), TREE.root(new))
        for wrong in (proof[:-1], (*proof, roots[1])):
            refused(merkle.verify_consistency, old, roots[0], new, roots[1], wrong)
    for old in (0, 5):
        root = TREE.root(old)
        refused(merkle.verify_consistency, old, root, 5, TREE.root(5), (root,))


def test_a_changed_history_is_not_consistent() -> None:
    other = Tree([*MANY[:3], leaf_hash(b"forged"), *MANY[4:]])
    for old in range(4, 34):
        for new in range(old, 35):
            proof = other.consistency_proof(old, new)
            args = (old, TREE.root(old), new, other.root(new), proof)
            refused(merkle.verify_consistency, *args)


def test_what_can_be_no_log_is_refused() -> None:
    root = TREE.root(5)
    assert "cannot become" in refused(merkle.verify_consistency, 6, root, 5, root, ())
    assert "cannot become" in refused(merkle.verify_consistency, -1, root, 5, root, ())
    assert "another root" in refused(merkle.verify_consistency, 0, root, 5, root, ())
    assert "not in a log" in refused(merkle.verify_inclusion, MANY[0], 5, 5, (), root)
    assert "not in a log" in refused(merkle.verify_inclusion, MANY[0], -1, 5, (), root)
    assert "not 32 bytes" in refused(merkle.verify_inclusion, b"", 0, 1, (), root)
    assert "not 32 bytes" in refused(merkle.verify_consistency, 4, root, 5, root, (b"x",))
    huge = merkle.MAX_SIZE + 1
    assert "not in a log" in refused(merkle.verify_inclusion, MANY[0], 0, huge, (), root)


def test_a_tree_proves_nothing_about_what_it_does_not_have() -> None:
    assert len(TREE) == len(MANY)
    assert "not 67" in refused(TREE.root, 67)
    assert "not -1" in refused(TREE.root, -1)
    assert "entry 3" in refused(TREE.inclusion_proof, 3, 3)
    assert "not 67" in refused(TREE.inclusion_proof, 3, 67)
    assert "preceded" in refused(TREE.consistency_proof, 4, 3)
    assert "not 99" in refused(consistency_proof, MANY, 4, 99)
    assert "not 99" in refused(inclusion_proof, MANY, 4, 99)


@pytest.mark.parametrize(
    ("size", "hashes"),
    [
        (1, []),
        (0, ["00" * 32]),
        (3, ["00" * 32]),
        (-1, ["00" * 32]),
        (True, ["00" * 32]),
        ("1", ["00" * 32]),
        (2**60, ["00" * 32]),
        (1, ["00" * 31]),
        (1, ["0g" * 32]),
        (1, ["AA" * 32]),
        (1, [" " + "00" * 32]),
        (1, [7]),
        (1, [None]),
    ],
)
def test_a_frontier_is_read_strictly(size: int, hashes: list[str]) -> None:
    assert refused(Frontier.from_hex, size, hashes)
