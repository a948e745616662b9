"""Merges as stock git makes them, honest and evil."""

import pygit2
import pytest

from reconciler.desired.attestations import Attestations
from reconciler.desired.trust.verify import explain, verify_new
from reconciler.errors import IntentRefused
from tests.support.fleet_git import NOW, SIGNERS, FleetRepo, allowed
from tests.support.trust_fleet import POLICY, POLICY_TEXT, TrustFleet, signers_text

CLINIC = "hosts/example-clinic/client.yaml"
ELM = "hosts/elm-street/client.yaml"
LONG = "".join(f"line{n}: x\n" for n in range(40))


@pytest.fixture
def fleet(tmp_path):
    made = FleetRepo(tmp_path)
    files = {SIGNERS: signers_text(), POLICY: POLICY_TEXT, CLINIC: LONG, ELM: LONG}
    made.root_commit = made.commit("alice", {**files, "runbooks/RB-A-001.yaml": LONG})
    return made


def merge(fleet, by, *others):
    """A merge by git itself, with its usual strategy."""
    fleet.git("merge", "-q", "--no-ff", "--no-commit", *others)
    return fleet.commit(by, {})


def verdict(fleet, accepted):
    repository = pygit2.Repository(str(fleet.work))
    arguments = (repository, accepted, fleet.head(), allowed("alice"), NOW)
    try:
        verify_new(*arguments, branch="main")
    except IntentRefused as error:
        first = next(one for one in explain(*arguments, branch="main") if one.refuses)
        assert (first.reason, first.commit) == (error.reason, error.commit)
        return error.reason, error.commit
    assert not [one for one in explain(*arguments, branch="main") if one.refuses]
    return None


def test_clean_merge_by_somebody_without_rights_to_what_it_brings(fleet):
    fleet.branch("side", fleet.root_commit)
    fleet.commit("erin", {ELM: LONG.replace("line3: x", "line3: y")})
    fleet.checkout("main")
    fleet.commit("alice", {CLINIC: LONG.replace("line9: x", "line9: y")})
    merge(fleet, "bob", "side")
    assert verdict(fleet, fleet.root_commit) is None


def test_evil_merge_of_a_client_engineer(fleet):
    fleet.branch("side", fleet.root_commit)
    fleet.commit("alice", {CLINIC: LONG.replace("line3: x", "line3: y")})
    fleet.checkout("main")
    fleet.commit("erin", {ELM: LONG.replace("line9: x", "line9: y")})
    fleet.git("merge", "-q", "--no-ff", "--no-commit", "side")
    fleet.commit("erin", {CLINIC: LONG.replace("line3: x", "line3: evil")})
    assert len(fleet.git("rev-parse", "HEAD^@").split()) == 2
    assert verdict(fleet, fleet.root_commit) == ("wrong-role", fleet.head())


def test_merge_that_keeps_ours_takes_a_policy_back(fleet):
    """`merge -s ours` looks like any merge, and reverts what the other side did."""
    fleet.branch("side", fleet.root_commit)
    fleet.commit("alice", {CLINIC: LONG.replace("line3: x", "line3: y")})
    fleet.checkout("main")
    fleet.commit("erin", {ELM: LONG.replace("line9: x", "line9: y")})
    tip = fleet.merge("erin", "side")
    assert verdict(fleet, fleet.root_commit) == ("wrong-role", tip)


def test_text_that_both_changed_is_the_mergers_own(fleet):
    fleet.branch("side", fleet.root_commit)
    fleet.commit("alice", {CLINIC: LONG.replace("line3: x", "line3: y")})
    fleet.checkout("main")
    fleet.commit("alice", {CLINIC: LONG.replace("line30: x", "line30: y")})
    tip = merge(fleet, "erin", "side")
    assert verdict(fleet, fleet.root_commit) == ("wrong-role", tip)
    fleet.reset("HEAD~1")
    merge(fleet, "alice", "side")
    assert verdict(fleet, fleet.root_commit) is None


def test_octopus(fleet):
    for name, path in (("one", "docs/1.md"), ("two", "docs/2.md")):
        fleet.branch(name, fleet.root_commit)
        fleet.commit("frank", {path: "x\n"})
        fleet.checkout("main")
    fleet.commit("alice", {CLINIC: LONG.replace("line9: x", "line9: y")})
    merge(fleet, "erin", "one", "two")
    assert verdict(fleet, fleet.root_commit) is None


def test_criss_cross(fleet):
    fleet.branch("side", fleet.root_commit)
    fleet.commit("frank", {"docs/1.md": "x\n"})
    fleet.checkout("main")
    fleet.commit("alice", {CLINIC: LONG.replace("line9: x", "line9: y")})
    main, side = fleet.head(), fleet.git("rev-parse", "side").strip()
    merge(fleet, "erin", side)
    fleet.checkout("side")
    merge(fleet, "erin", main)
    fleet.commit("frank", {"docs/2.md": "x\n"})
    fleet.checkout("main")
    fleet.commit("frank", {"docs/3.md": "x\n"})
    merge(fleet, "erin", "side")
    assert verdict(fleet, fleet.root_commit) is None


def test_foxtrot_as_git_pull_makes_it(fleet):
    fleet.branch("mine", fleet.root_commit)
    fleet.commit("frank", {"docs/1.md": "x\n"})
    fleet.checkout("main")
    accepted = fleet.commit("alice", {CLINIC: LONG.replace("line9: x", "line9: y")})
    fleet.checkout("mine")
    tip = merge(fleet, "frank", "main")
    assert verdict(fleet, accepted) == ("not-first-parent", tip)


def test_fast_forward_and_squash_need_the_same_approval(fleet):
    beside = TrustFleet(fleet.work / ".git")
    fleet.branch("side", fleet.root_commit)
    fleet.commit("alice", {"runbooks/RB-A-001.yaml": LONG + "more: x\n"})
    side = fleet.commit("alice", {"docs/x.md": "x\n"})
    beside.approve("bob", side, base=fleet.root_commit, issued=3)
    repository = pygit2.Repository(str(fleet.work))

    def accepted(head):
        found = Attestations(repository, beside.attestations)
        verify_new(
            repository,
            fleet.root_commit,
            head,
            allowed("alice"),
            NOW,
            branch="main",
            attestations=found,
        )
        return True

    assert accepted(side)
    fleet.checkout("main")
    fleet.git("merge", "-q", "--squash", "side")
    assert accepted(fleet.commit("alice", {}))
