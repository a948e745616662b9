"""Whatever a witness is asked, in whatever order: what it vouched for is one history."""

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.evidence import note
from reconciler.evidence.merkle import leaf_hash
from reconciler.evidence.merkle_tree import Tree
from reconciler.evidence.sshsig import raw_public
from reconciler.evidence.witnessing import (
    Cosign,
    Refuse,
    Seen,
    decide,
    read_request,
    write_request,
)
from tests.support.evidence_keys import test_key as key_of

ORIGIN, KEY = "reconciler/smile/desk", key_of("smile/desk")
PUBLICS = (raw_public(KEY),)
SIZE = 12
LEAVES = [leaf_hash(b"%d" % seq) for seq in range(SIZE)]
HISTORIES = [
    Tree([*LEAVES[:fork], leaf_hash(b"fork %d" % fork), *LEAVES[fork + 1 :]])
    for fork in (0, 3, 7, SIZE - 1)
]
SIZES = st.integers(0, SIZE)
ASKED = st.tuples(st.sampled_from(HISTORIES), st.sampled_from(HISTORIES), SIZES, SIZES, SIZES)


def signed(tree: Tree, size: int) -> str:
    return note.sign_checkpoint(note.Checkpoint(ORIGIN, size, tree.root(size)), KEY)


@settings(derandomize=True, max_examples=150, deadline=None)
@given(st.lists(ASKED, max_size=12))
def test_what_is_vouched_for_is_one_history(
    asked: list[tuple[Tree, Tree, int, int, int]],
) -> None:
    seen: Seen | None = None
    vouched: list[Seen] = []
    for tree, proving, old, low, new in asked:
        # Half of the time the log knows what was seen; the proof may be of another history.
        believed = old if old % 2 or seen is None else seen.size
        proof = proving.consistency_proof(
            min(low, new) if low % 3 == 0 else min(believed, new), new
        )
        request = read_request(write_request(believed, proof, signed(tree, new)))
        decision = decide(PUBLICS, seen, request)
        if isinstance(decision, Cosign):
            seen = Seen(new, tree.root(new), decision.note)
            vouched.append(seen)
        else:
            assert isinstance(decision, Refuse)
    assert [one.size for one in vouched] == sorted(one.size for one in vouched)
    fitting = [
        tree for tree in HISTORIES if all(tree.root(one.size) == one.root for one in vouched)
    ]
    assert fitting
