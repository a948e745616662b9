"""Attempts to change who is trusted without being trusted."""

import pygit2
import pytest

from reconciler.desired.trust.verify import reverify
from reconciler.errors import IntentRefused
from tests.support.fleet_git import NOW, SIGNERS, FleetRepo, allowed, at, signer_line, signers_text


@pytest.fixture
def fleet(tmp_path):
    return FleetRepo(tmp_path)


def refusal(fleet, accepted, head, **options):
    with pytest.raises(IntentRefused) as caught:
        fleet.verify(accepted, head, **options)
    return caught.value


def test_known_signer_adds_a_key_and_the_new_key_signs_in_the_same_push(fleet):
    root = fleet.root()
    fleet.commit("alice", {SIGNERS: signers_text("alice", "bob")})
    tip = fleet.commit("bob")
    signers = [one.signer for one in fleet.verify(root, tip).commits]
    assert signers == ["alice@msp.example", "bob@msp.example"]


def test_new_key_does_not_add_itself(fleet):
    root = fleet.root()
    tip = fleet.commit("bob", {SIGNERS: signers_text("alice", "bob")})
    error = refusal(fleet, root, tip)
    assert (error.reason, error.commit) == ("unknown-signer", tip)


def test_known_signer_does_not_vouch_for_an_earlier_commit_of_a_new_key(fleet):
    root = fleet.root()
    early = fleet.commit("bob")
    tip = fleet.commit("alice", {SIGNERS: signers_text("alice", "bob")})
    error = refusal(fleet, root, tip)
    assert (error.reason, error.commit) == ("unknown-signer", early)


def test_removed_key_signs_nothing_afterwards(fleet):
    fleet.root("alice", "alice", "bob")
    accepted = fleet.commit("alice", {SIGNERS: signers_text("alice")})
    tip = fleet.commit("bob")
    assert refusal(fleet, accepted, tip).reason == "unknown-signer"


def test_handover_from_one_key_to_another_in_one_push(fleet):
    root = fleet.root()
    fleet.commit("alice", {SIGNERS: signers_text("alice", "bob")})
    fleet.commit("bob", {SIGNERS: signers_text("bob")})
    tip = fleet.commit("bob")
    assert fleet.verify(root, tip).commit == tip


def test_signer_who_removes_himself_leaves_a_head_that_nobody_vouches_for(fleet):
    root = fleet.root("alice", "alice", "bob")
    tip = fleet.commit("alice", {SIGNERS: signers_text("bob")})
    error = refusal(fleet, root, tip)
    assert (error.reason, error.commit) == ("signer-revoked", tip)


def test_merge_needs_a_signer_that_both_sides_know(fleet):
    root = fleet.root()
    fleet.branch("side", root)
    side = fleet.commit("alice", {"hosts/side.yaml": "id: side\n"})
    fleet.checkout("main")
    accepted = fleet.commit("alice", {SIGNERS: signers_text("alice", "bob")})
    by_bob = fleet.merge("bob", "side")
    error = refusal(fleet, accepted, by_bob)
    assert (error.reason, error.commit) == ("unknown-signer", by_bob)
    fleet.reset(accepted)
    by_alice = fleet.merge("alice", "side")
    assert [one.commit for one in fleet.verify(accepted, by_alice).commits] == [side, by_alice]


def test_revoked_key_finds_no_side_door_through_an_old_branch(fleet):
    root = fleet.root("alice", "alice", "bob")
    accepted = fleet.commit("alice", {SIGNERS: signers_text("alice")})
    fleet.branch("side", root)
    back_dated = fleet.commit("bob", {"hosts/evil.yaml": "id: evil\n"}, minutes=2)
    fleet.checkout("main")
    tip = fleet.merge("alice", "side", minutes=30)
    error = refusal(fleet, accepted, tip)
    assert (error.reason, error.commit) == ("signer-revoked", back_dated)


def test_unrelated_root_by_a_pinned_but_revoked_key_is_not_merged(fleet):
    fleet.root("alice", "alice", "bob")
    accepted = fleet.commit("bob", {SIGNERS: signers_text("bob")})
    fleet.git("checkout", "-q", "--orphan", "other")
    foreign = fleet.root("alice", "alice", "bob")
    fleet.checkout("main")
    tip = fleet.merge("bob", "other")
    error = refusal(fleet, accepted, tip)
    assert (error.reason, error.commit) == ("signer-revoked", foreign)


@pytest.mark.parametrize(
    "content",
    [
        None,
        "",
        "# nobody\n",
        "alice@msp.example ssh-rsa AAAA\n",
        "* cert-authority ssh-ed25519 A\n",
    ],
    ids=["removed", "empty", "comment", "other key type", "authority"],
)
def test_head_that_leaves_no_usable_signers_file(fleet, content):
    root = fleet.root()
    tip = fleet.commit("alice", {SIGNERS: content})
    error = refusal(fleet, root, tip)
    assert (error.reason, error.commit) == ("signers-missing", tip)


def test_commit_on_a_parent_without_signers(fleet):
    root = fleet.root()
    fleet.commit("alice", {SIGNERS: None})
    tip = fleet.commit("alice", {SIGNERS: signers_text("alice")})
    error = refusal(fleet, root, tip)
    assert (error.reason, error.commit) == ("signers-missing", tip)


def test_signers_file_that_is_a_symbolic_link(fleet):
    root = fleet.root()
    (fleet.work / SIGNERS).unlink()
    (fleet.work / SIGNERS).symlink_to("../../elsewhere")
    tip = fleet.commit("alice", {"elsewhere": signers_text("alice")})
    assert refusal(fleet, root, tip).reason == "signers-missing"


def test_enrolment_takes_the_whole_history_of_a_pinned_root(fleet):
    root = fleet.root()
    tip = fleet.commit("alice")
    acceptance = fleet.verify(None, tip)
    assert acceptance.previous is None
    assert [one.commit for one in acceptance.commits] == [root, tip]


def test_enrolment_with_somebody_elses_root(fleet):
    root = fleet.root("mallory", "mallory", "alice")
    tip = fleet.commit("alice")
    error = refusal(fleet, None, tip)
    assert (error.reason, error.commit) == ("unknown-signer", root)


def test_enrolment_needs_a_head_by_a_pinned_signer(fleet):
    fleet.root("alice", "alice", "bob")
    tip = fleet.commit("bob")
    assert refusal(fleet, None, tip).reason == "unknown-signer"
    assert fleet.verify(None, tip, pinned=allowed("alice", "bob")).commit == tip


def test_key_that_ended_dates_no_history_back_to_enrol_a_machine(fleet):
    ended = signer_line("alice", before="20260310Z")
    root = fleet.commit("alice", {SIGNERS: ended + "\n"})
    pinned = allowed(ended, "bob")
    assert refusal(fleet, None, root, pinned=pinned, now=NOW).reason == "signer-expired"
    assert fleet.verify(None, root, pinned=pinned, now=at(60)).commit == root


def test_nobody_is_pinned(fleet):
    root = fleet.root()
    assert refusal(fleet, None, root, pinned=allowed("bob")).reason == "unknown-signer"


def test_accepted_head_is_held_against_its_own_newest_signers(fleet):
    root = fleet.root("alice", "alice", "bob")
    repository = pygit2.Repository(str(fleet.work))
    assert reverify(repository, root).signer == "alice@msp.example"
    revoking = fleet.commit("alice", {SIGNERS: signers_text("bob")})
    with pytest.raises(IntentRefused) as caught:
        reverify(repository, revoking)
    assert (caught.value.reason, caught.value.commit) == ("signer-revoked", revoking)


def test_accepted_head_whose_window_was_closed_in_hindsight(fleet):
    fleet.root("alice", "alice", "bob")
    lines = signer_line("alice", before="20260301Z") + "\n" + signer_line("bob") + "\n"
    closed = fleet.commit("alice", {SIGNERS: lines})
    with pytest.raises(IntentRefused) as caught:
        reverify(pygit2.Repository(str(fleet.work)), closed)
    assert caught.value.reason == "signer-expired"
