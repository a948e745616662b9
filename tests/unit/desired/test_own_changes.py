import pytest

from reconciler.desired.limits import READ_LIMITS
from reconciler.desired.objects import Objects
from reconciler.desired.trees import Trees
from reconciler.desired.trust.lineage import Lineage
from reconciler.desired.trust.own_changes import OwnChanges
from tests.support.trust_fleet import TrustFleet


@pytest.fixture
def fleet(tmp_path):
    made = TrustFleet(tmp_path / "fleet.git")
    made.commit("alice", {"a": "0", "b": "0", "gone": "0"}, parents=())
    return made


def own(fleet, commit):
    objects = Objects(fleet.repository, READ_LIMITS)
    return OwnChanges(Trees(objects, READ_LIMITS), Lineage(objects)).of(commit)


def side(fleet, changes, start):
    return fleet.commit("bob", changes, parents=(start,), move=False)


def test_root_changed_everything_it_has(fleet):
    assert own(fleet, fleet.head) == ("a", "b", "gone")


def test_commit_changed_what_differs_from_its_parent(fleet):
    assert own(fleet, fleet.commit("alice", {"b": "1", "c": "1", "gone": None})) == (
        "b",
        "c",
        "gone",
    )


def test_clean_merge_changed_nothing(fleet):
    root = fleet.head
    other = side(fleet, {"b": "1", "new": "1", "gone": None}, root)
    fleet.commit("alice", {"a": "1"})
    assert own(fleet, fleet.merge("carol", other)) == ()


def test_merge_that_adds_something_changed_that(fleet):
    other = side(fleet, {"b": "1"}, fleet.head)
    fleet.commit("alice", {"a": "1"})
    assert own(fleet, fleet.merge("carol", other, changes={"evil": "1"})) == ("evil",)


def test_merge_that_takes_an_old_version_back_changed_it(fleet):
    root = fleet.head
    other = side(fleet, {"b": "1"}, root)
    main = fleet.commit("alice", {"a": "1"})
    reverting = fleet.commit("carol", {"a": "0"}, parents=(main, other), tree=fleet.tree(other))
    assert own(fleet, reverting) == ("a",)


def test_merge_that_keeps_ours_dropped_theirs(fleet):
    root = fleet.head
    other = side(fleet, {"b": "1"}, root)
    main = fleet.commit("alice", {"a": "1"})
    dropping = fleet.commit("carol", parents=(main, other), tree=fleet.tree(main))
    assert own(fleet, dropping) == ("b",)


def test_both_sides_made_the_same_change(fleet):
    other = side(fleet, {"a": "1"}, fleet.head)
    fleet.commit("alice", {"a": "1", "b": "1"})
    assert own(fleet, fleet.merge("carol", other)) == ()


def test_octopus_is_clean_if_each_path_is_from_one_side(fleet):
    root = fleet.head
    one, two = side(fleet, {"b": "1"}, root), side(fleet, {"c": "1"}, root)
    fleet.commit("alice", {"a": "1"})
    assert own(fleet, fleet.merge("carol", one, two)) == ()


def test_unrelated_history_brings_new_paths_only(fleet):
    foreign = fleet.commit("bob", {"x": "1", "a": "9"}, parents=(), move=False)
    merge = fleet.merge("carol", foreign)
    assert own(fleet, merge) == ("a",)


def test_criss_cross_takes_no_side_for_granted(fleet):
    """One base has a path as ours has it and one as theirs: the choice is the merge's own."""
    root = fleet.head
    one, two = side(fleet, {"a": "1"}, root), side(fleet, {"b": "1"}, root)
    left = fleet.commit("alice", {"b": "1"}, parents=(one, two), tree=fleet.tree(one))
    right = fleet.commit("bob", parents=(two, one), tree=fleet.tree(two), move=False)
    choosing = fleet.commit("carol", parents=(left, right), tree=fleet.tree(right))
    assert own(fleet, choosing) == ("a",)
