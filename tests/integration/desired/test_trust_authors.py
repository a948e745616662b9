"""R2: who may change which path."""

import pytest

from reconciler.desired.limits import ReadLimits
from reconciler.evidence import signers
from tests.support.fleet_git import SIGNERS
from tests.support.trust_asking import refusal, rulings, verify
from tests.support.trust_fleet import POLICY, POLICY_TEXT, TrustFleet, line, signers_text
from tests.support.trust_signing import fingerprint

CLINIC = "hosts/example-clinic/desk.yaml"
ELM = "hosts/elm-street/desk.yaml"


@pytest.fixture
def fleet(tmp_path):
    return TrustFleet(tmp_path / "fleet.git")


@pytest.mark.parametrize(
    ("by", "path"),
    [("alice", CLINIC), ("bob", CLINIC), ("erin", ELM), ("frank", "README.md"), ("bot", ELM)],
)
def test_role_and_client_let_somebody_change_a_path(fleet, by, path):
    root = fleet.begin()
    tip = fleet.commit(by, {path: "id: x\n"})
    assert verify(fleet, root).commit == tip


@pytest.mark.parametrize(
    ("by", "path", "reason"),
    [
        ("erin", CLINIC, "wrong-role"),
        ("bob", ELM, "wrong-role"),
        ("frank", CLINIC, "wrong-role"),
        ("carol", POLICY, "wrong-role"),
        ("alice", "flake.nix", "path-unowned"),
        ("alice", ".github/workflows/x.yml", "path-unowned"),
        ("alice", "Hosts/example-clinic/x.yaml", "path-unowned"),
    ],
)
def test_nobody_changes_what_is_not_theirs(fleet, by, path, reason):
    root = fleet.begin()
    tip = fleet.commit(by, {path: POLICY_TEXT + "# x\n" if path == POLICY else "x\n"})
    error = refusal(fleet, root)
    assert (error.reason, error.commit) == (reason, tip)


def test_removing_a_file_and_changing_its_mode_are_changes(fleet):
    root = fleet.begin()
    fleet.commit("erin", {"hosts/example-clinic/client.yaml": None})
    assert refusal(fleet, root).reason == "wrong-role"
    fleet.move(root)
    tree = fleet.tree(root)
    tree["README.md"] = ("100755", tree["README.md"][1])
    fleet.commit("erin", tree=tree)
    assert verify(fleet, root).commits[0].signer == "erin@msp.example"


def test_signer_whom_the_policy_does_not_know(fleet):
    root = fleet.begin(signers=signers_text() + line("grace"))
    fleet.commit("grace", {"README.md": "x\n"})
    assert refusal(fleet, root).reason == "wrong-role"


def test_member_who_changes_nothing_may_sign(fleet):
    root = fleet.begin()
    fleet.commit("frank", {})
    assert verify(fleet, root)


def test_stranger_who_changes_nothing_may_not(fleet):
    root = fleet.begin(signers=signers_text() + line("grace"))
    fleet.commit("grace", {})
    assert refusal(fleet, root).reason == "wrong-role"


def test_the_policy_of_the_parent_counts_and_not_the_commits_own(fleet):
    root = fleet.begin()
    widened = POLICY_TEXT.replace("roles: [auditor]", "roles: [engineer], all_clients: true")
    tip = fleet.commit("frank", {POLICY: widened, CLINIC: "id: x\n"})
    error = refusal(fleet, root)
    assert (error.reason, error.commit) == ("wrong-role", tip)


def test_role_that_was_given_before_counts(fleet):
    root = fleet.begin()
    widened = POLICY_TEXT.replace("roles: [auditor]", "roles: [engineer], all_clients: true")
    fleet.commit("alice", {POLICY: widened})
    fleet.approve("bob")
    fleet.commit("frank", {CLINIC: "id: x\n"})
    assert len(verify(fleet, root).commits) == 2


def test_hardware_key_of_a_person_signs(fleet):
    root = fleet.begin()
    fleet.commit("bob-sk", {CLINIC: "id: x\n"})
    assert verify(fleet, root).commits[0].signer == "bob-sk@msp.example"


def test_machine_of_attestations_signs_no_commit(fleet):
    root = fleet.begin()
    fleet.commit("ci", {"README.md": "x\n"})
    assert refusal(fleet, root).reason == "unknown-signer"


def test_revoked_key_signs_nothing_from_its_instant_on(fleet):
    revoked = '\nrevoked: [{key: "%s", effective: "2026-03-02T08:05:00Z", reason: lost}]\n'
    root = fleet.begin(policy=POLICY_TEXT + revoked % fingerprint("erin"))
    fleet.commit("erin", {ELM: "id: x\n"}, minutes=4)
    assert verify(fleet, root)
    tip = fleet.commit("erin", {ELM: "id: y\n"}, minutes=5)
    error = refusal(fleet, root)
    assert (error.reason, error.commit) == ("signer-revoked", tip)


def test_side_branch_does_not_trust_itself(fleet):
    """One person lets a new key speak for somebody, uses it, and takes it back before the merge."""
    root = fleet.begin()
    ghost = signers_text() + line("ghost", principal="frank@msp.example")
    one = fleet.commit("alice", {SIGNERS: ghost}, move=False)
    two = fleet.commit("ghost", {"README.md": "evil\n"}, parents=(one,), move=False)
    three = fleet.commit("alice", {SIGNERS: signers_text()}, parents=(two,), move=False)
    fleet.merge("alice", three)
    error = refusal(fleet, root)
    assert (error.reason, error.commit) == ("signer-revoked", two)


def test_side_branch_without_a_policy_opens_no_door(fleet):
    root = fleet.begin()
    one = fleet.commit("alice", {POLICY: None}, move=False)
    two = fleet.commit("erin", {CLINIC: "id: evil\n"}, parents=(one,), move=False)
    three = fleet.commit("alice", {POLICY: POLICY_TEXT}, parents=(two,), move=False)
    fleet.merge("alice", three)
    error = refusal(fleet, root)
    assert (error.reason, error.commit) == ("wrong-role", two)


def test_branch_from_before_the_policy_is_held_to_it(fleet):
    old = fleet.begin(policy=None)
    root = fleet.commit("alice", {POLICY: POLICY_TEXT})
    one = fleet.commit("erin", {"README.md": "1\n"}, parents=(old,), move=False)
    two = fleet.commit("erin", {CLINIC: "id: evil\n"}, parents=(one,), move=False)
    fleet.merge("alice", two, into=root)
    error = refusal(fleet, root)
    assert (error.reason, error.commit) == ("wrong-role", two)


def test_foreign_root_answers_for_all_that_it_holds(fleet):
    root = fleet.begin()
    foreign = fleet.commit(
        "alice", {SIGNERS: signers_text(), "x.nix": "1\n"}, parents=(), move=False
    )
    fleet.merge("alice", foreign, into=root)
    error = refusal(fleet, root)
    assert (error.reason, error.commit) == ("path-unowned", foreign)


def test_policy_that_does_not_read_in_between(fleet):
    root = fleet.begin()
    fleet.commit("alice", {POLICY: "format: 2\n"})
    fleet.approve("bob")
    tip = fleet.commit("alice", {POLICY: POLICY_TEXT})
    error = refusal(fleet, root)
    assert (error.reason, error.commit) == ("trust-policy-broken", tip)
    assert "2" not in error.message.replace(tip[:12], "").replace(fleet.parents(tip)[0][:12], "")


def test_folder_in_the_place_of_the_policy_is_no_fleet_without_one(fleet):
    root = fleet.begin(policy=None)
    fleet.commit("alice", {f"{POLICY}/x": "1\n"})
    assert refusal(fleet, root).reason == "trust-policy-broken"


def test_without_a_policy_every_listed_signer_may_change_everything(fleet):
    root = fleet.begin(policy=None)
    fleet.commit("frank", {POLICY: POLICY_TEXT, "flake.nix": "x\n"})
    assert verify(fleet, root)


def test_explanation_collects_all_that_is_wrong(fleet):
    root = fleet.begin()
    fleet.commit("erin", {CLINIC: "id: x\n", "flake.nix": "x\n", "runbooks/RB-A-001.yaml": "x\n"})
    wrong = [ruling for ruling in rulings(fleet, root) if not ruling.held]
    assert [ruling.reason for ruling in wrong] == [
        "path-unowned",
        "wrong-role",
        "path-unowned",
        "approvals-missing",
    ]
    assert all(ruling.hint for ruling in wrong)
    assert (wrong[1].path, wrong[1].owner) == (CLINIC, "clients")


def test_trusted_person_cannot_make_a_verification_endless(fleet):
    root = fleet.begin()
    fleet.commit("alice", {f"docs/{n}.md": "x\n" for n in range(20)})
    limits = ReadLimits(changes=10)
    assert refusal(fleet, root, limits=limits).reason == "too-large"


def test_pinned_commit_is_trusted_whole_and_the_rest_is_held_to_it(fleet):
    nobody = signers.parse(line("zoe").encode(), "pinned")
    pin = fleet.begin()
    tip = fleet.commit("erin", {ELM: "id: x\n"})
    assert verify(fleet, None, pinned=nobody, pin=pin).commit == tip
    assert verify(fleet, None, pin, pinned=nobody, pin=pin).commits == ()
    assert refusal(fleet, None, pinned=nobody).reason == "unknown-signer"
    fleet.commit("erin", {CLINIC: "id: x\n"})
    assert refusal(fleet, None, pinned=nobody, pin=pin).reason == "wrong-role"


def test_head_that_does_not_follow_from_the_pin(fleet):
    fleet.begin()
    pin = fleet.commit("alice", {"README.md": "1\n"}, move=False)
    fleet.commit("alice", {"README.md": "2\n"})
    assert refusal(fleet, None, pin=pin).reason == "not-fast-forward"
