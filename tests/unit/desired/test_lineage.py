import random

import pytest

from reconciler.desired.limits import READ_LIMITS
from reconciler.desired.objects import Objects
from reconciler.desired.trust.lineage import Lineage
from reconciler.errors import IntentRefused
from tests.support.commands import host
from tests.support.trust_fleet import TrustFleet


@pytest.fixture
def fleet(tmp_path):
    return TrustFleet(tmp_path / "fleet.git")


def lineage(fleet):
    return Lineage(Objects(fleet.repository, READ_LIMITS))


def chain(fleet, *parents, minutes=None):
    return fleet.commit("alice", {}, parents=parents, tree={}, minutes=minutes)


def test_fork_has_its_fork_point_as_base(fleet):
    root = chain(fleet)
    base = chain(fleet, root)
    one, two = chain(fleet, base), chain(fleet, base)
    assert lineage(fleet).merge_bases(one, two) == (base,)
    assert lineage(fleet).merge_bases(two, one) == (base,)


def test_ancestor_is_the_base_of_itself_and_what_follows(fleet):
    root = chain(fleet)
    tip = chain(fleet, chain(fleet, root))
    assert lineage(fleet).merge_bases(root, tip) == (root,)
    assert lineage(fleet).merge_bases(tip, tip) == (tip,)


def test_unrelated_histories_have_no_base(fleet):
    assert lineage(fleet).merge_bases(chain(fleet), chain(fleet, minutes=9)) == ()


def test_criss_cross_has_two_bases(fleet):
    root = chain(fleet)
    one, two = chain(fleet, root), chain(fleet, root)
    left, right = chain(fleet, one, two), chain(fleet, two, one)
    assert set(lineage(fleet).merge_bases(left, right)) == {one, two}


@pytest.mark.conformance
@pytest.mark.parametrize("seed", range(8))
def test_bases_are_those_of_git_whatever_the_times_say(fleet, seed):
    chosen = random.Random(seed)
    commits = [chain(fleet)]
    for _ in range(25):
        count = chosen.choice((0, 1, 1, 1, 2, 2, 3))
        parents = chosen.sample(commits, min(count, len(commits)))
        commits.append(chain(fleet, *parents, minutes=chosen.randrange(50)))
    ours = lineage(fleet)
    for _ in range(25):
        one, two = chosen.choice(commits), chosen.choice(commits)
        command = ("git", "-C", str(fleet.path), "merge-base", "--all", one, two)
        bases = ours.merge_bases(one, two)
        assert set(bases) == set(host(*command).split() if bases else ())
        if not bases:
            shared = {c for c in commits if ours.reaches(one, c) and ours.reaches(two, c)}
            assert shared == set()


def test_line_follows_first_parents_alone(fleet):
    root = chain(fleet)
    main = chain(fleet, root)
    side = chain(fleet, root)
    merge = chain(fleet, main, side)
    found = lineage(fleet).line(merge, {main, side, merge}, 5)
    assert found == ([merge, main], [root])


def test_steps_share_out_what_each_of_the_line_brought(fleet):
    root = chain(fleet)
    side = chain(fleet, root)
    main = chain(fleet, root)
    merge = chain(fleet, main, side)
    brought = lineage(fleet).steps([main, merge], {main, side, merge})
    assert brought == {main: [main], merge: [merge, side]}


def test_old_commit_of_another_form_still_has_its_links(fleet):
    root = chain(fleet)
    raw = fleet.raw("alice", fleet.tree_id(root), (root,), "git")
    odd = fleet.store(raw.replace(b"\n\n", b"\nencoding latin1\n\n", 1))
    assert lineage(fleet).link(odd).parents == (root,)


def test_commit_without_a_tree_has_no_links(fleet):
    odd = fleet.store(b"parent " + b"a" * 40 + b"\n\nm\n")
    with pytest.raises(IntentRefused) as caught:
        lineage(fleet).link(odd)
    assert caught.value.reason == "malformed-commit"
