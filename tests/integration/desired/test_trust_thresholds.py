"""R3 and R5: enough others agree with every step, and the head can be lived with."""

import pytest

from tests.support.fleet_git import SIGNERS
from tests.support.trust_asking import refusal, rulings, verify
from tests.support.trust_fleet import POLICY, POLICY_TEXT, TrustFleet, line, signers_text
from tests.support.trust_signing import ATTESTATION, GIT, fingerprint

RUNBOOK = "runbooks/RB-A-001.yaml"
EDIT = {RUNBOOK: "id: RB-A-001\ntitle: new\n"}


@pytest.fixture
def fleet(tmp_path):
    return TrustFleet(tmp_path / "fleet.git")


def test_one_other_person_approves(fleet):
    root = fleet.begin()
    fleet.commit("alice", EDIT)
    assert refusal(fleet, root).reason == "approvals-missing"
    fleet.approve("bob")
    found = verify(fleet, root)
    assert ("bob",) in {ruling.people for ruling in found.rulings}


def test_one_approval_covers_several_commits(fleet):
    root = fleet.begin()
    for number in range(4):
        fleet.commit("alice", {RUNBOOK: f"id: RB-A-001\ntitle: {number}\n"})
    fleet.approve("bob", base=root)
    assert len(verify(fleet, root).commits) == 4


def test_approval_of_the_last_step_alone_leaves_the_others(fleet):
    root = fleet.begin()
    first = fleet.commit("alice", EDIT)
    fleet.commit("alice", {RUNBOOK: "id: RB-A-001\ntitle: last\n"})
    fleet.approve("bob")
    error = refusal(fleet, root)
    assert (error.reason, error.commit) == ("approvals-missing", first)


def test_approval_that_began_below_what_was_accepted_goes_on(fleet):
    root = fleet.begin()
    accepted = fleet.commit("alice", {"README.md": "1\n"})
    fleet.commit("alice", EDIT)
    fleet.approve("bob", base=root)
    assert verify(fleet, accepted)


def test_squash_to_the_approved_tree_is_the_same_change(fleet):
    root = fleet.begin()
    fleet.commit("alice", EDIT)
    branch = fleet.commit("alice", {"docs/x.md": "x\n"})
    fleet.approve("bob", branch, base=root)
    fleet.commit("alice", parents=(root,), tree=fleet.tree(branch))
    assert len(verify(fleet, root).commits) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"tree": "e" * 40},
        {"base": None},
        {"base": "f" * 40},
        {"branch": "next"},
        {"approver": "carol@msp.example"},
        {"issued": 60 * 24 * 60},
        {"expires": 1},
        {"namespace": GIT},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_approval_of_something_else(fleet, wrong):
    root = fleet.begin()
    fleet.commit("alice", EDIT)
    fleet.approve("bob", **wrong)
    assert refusal(fleet, root).reason == "approvals-missing"


def test_authors_second_key_is_the_author(fleet):
    root = fleet.begin()
    fleet.commit("bob", EDIT)
    fleet.approve("bob-sk")
    error = refusal(fleet, root)
    assert error.reason == "approvals-missing"
    assert "bob wrote the change" in error.message


def test_hardware_key_approves(fleet):
    root = fleet.begin()
    fleet.commit("alice", EDIT)
    fleet.approve("bob-sk")
    assert verify(fleet, root)


@pytest.mark.parametrize("by", ["bot", "frank", "erin"])
def test_who_does_not_count(fleet, by):
    policy = POLICY_TEXT.replace("runbooks/**", "hosts/{client}/**", 1)
    root = fleet.begin(policy=policy)
    fleet.commit("alice", {"hosts/example-clinic/client.yaml": "id: example-clinic\nname: x\n"})
    fleet.approve(by)
    assert refusal(fleet, root).reason == "approvals-missing"
    fleet.approve("bob")
    assert verify(fleet, root)


def test_two_keys_of_one_person_are_one_of_two(fleet):
    policy = POLICY_TEXT.replace(
        "authors: [engineer], approvals: 1", "authors: [engineer], approvals: 2"
    )
    root = fleet.begin(policy=policy)
    fleet.commit("alice", EDIT)
    fleet.approve("bob")
    fleet.approve("bob-sk")
    assert refusal(fleet, root).reason == "approvals-missing"
    fleet.approve("carol")
    assert verify(fleet, root)


def test_who_wrote_a_part_is_an_author_of_the_rule(fleet):
    root = fleet.begin()
    one = fleet.commit("alice", EDIT, move=False)
    two = fleet.commit("bob", {"runbooks/RB-A-002.yaml": "id: x\n"}, parents=(one,), move=False)
    fleet.merge("alice", two)
    fleet.approve("bob", base=root)
    assert refusal(fleet, root).reason == "approvals-missing"
    fleet.approve("carol", base=root)
    assert verify(fleet, root)


def test_who_merges_agrees(fleet):
    root = fleet.begin()
    side = fleet.commit("alice", EDIT, move=False)
    fleet.merge("bob", side)
    assert verify(fleet, root)


def test_author_who_merges_does_not_agree_with_himself(fleet):
    root = fleet.begin()
    side = fleet.commit("alice", EDIT, move=False)
    fleet.merge("alice", side)
    assert refusal(fleet, root).reason == "approvals-missing"


def test_who_changes_something_while_merging_is_an_author(fleet):
    root = fleet.begin()
    side = fleet.commit("alice", EDIT, move=False)
    fleet.merge("bob", side, changes={"runbooks/RB-A-002.yaml": "id: evil\n"})
    assert refusal(fleet, root).reason == "approvals-missing"


def test_machine_that_merges_agrees_with_nothing(fleet):
    root = fleet.begin()
    side = fleet.commit("alice", EDIT, move=False)
    fleet.merge("bot", side)
    assert refusal(fleet, root).reason == "approvals-missing"


def test_foxtrot_hides_what_the_branch_went_through(fleet):
    root = fleet.begin()
    accepted = fleet.commit("alice", {"README.md": "1\n"})
    side = fleet.commit("bob", {"docs/x.md": "x\n"}, parents=(root,), move=False)
    tip = fleet.merge("bob", accepted, into=side)
    error = refusal(fleet, accepted)
    assert (error.reason, error.commit) == ("not-first-parent", tip)
    fleet.merge("bob", side, into=accepted)
    assert verify(fleet, accepted)


def test_old_approved_state_does_not_come_back_by_one_person(fleet):
    root = fleet.begin()
    good = fleet.commit("alice", EDIT)
    fleet.approve("bob")
    fixed = fleet.commit("alice", {RUNBOOK: "id: RB-A-001\ntitle: fixed\n"})
    fleet.approve("bob")
    tip = fleet.commit("alice", tree=fleet.tree(good))
    error = refusal(fleet, root)
    assert (error.reason, error.commit) == ("approvals-missing", tip)
    assert refusal(fleet, fixed).commit == tip
    fleet.approve("bob")
    assert verify(fleet, root)


def test_change_of_trust_that_was_taken_back_was_not_agreed_to(fleet):
    root = fleet.begin()
    loose = POLICY_TEXT.replace(
        "authors: [engineer], approvals: 1", "authors: [engineer], approvals: 0"
    )
    first = fleet.commit("alice", {POLICY: loose})
    fleet.commit("alice", EDIT)
    fleet.commit("alice", {POLICY: POLICY_TEXT})
    fleet.approve("bob", base=root)
    error = refusal(fleet, root)
    assert (error.reason, error.commit) == ("approvals-missing", first)
    assert "does not show this change of trust" in error.message


@pytest.mark.parametrize("path", [POLICY, SIGNERS])
def test_single_key_does_not_change_trust(fleet, path):
    content = {POLICY: POLICY_TEXT + "# x\n", SIGNERS: signers_text() + line("grace")}
    root = fleet.begin()
    fleet.commit("alice", {path: content[path]})
    assert refusal(fleet, root).reason == "approvals-missing"
    fleet.approve("carol")
    assert verify(fleet, root)


def test_key_that_the_approver_lost_approves_nothing(fleet):
    revoked = '\nrevoked: [{key: "%s", effective: "2026-03-02T08:02:00Z", reason: lost}]\n'
    root = fleet.begin(policy=POLICY_TEXT + revoked % fingerprint("bob"))
    fleet.commit("alice", EDIT, minutes=5)
    fleet.approve("bob", issued=1)
    assert refusal(fleet, root).reason == "approvals-missing"


def test_key_for_commits_alone_approves_nothing(fleet):
    names = ("alice", "carol", "erin", "frank", "bob-sk", "bot")
    lines = (
        signers_text(*names)
        + line("bob", namespaces=(GIT,))
        + line("ci", namespaces=(ATTESTATION,))
    )
    root = fleet.begin(signers=lines)
    fleet.commit("alice", EDIT)
    fleet.approve("bob")
    error = refusal(fleet, root)
    assert "may not sign attestations" in error.message


def test_head_that_drops_its_policy(fleet):
    root = fleet.begin()
    fleet.commit("alice", {POLICY: None})
    fleet.approve("bob")
    assert refusal(fleet, root).reason == "trust-policy-dropped"


@pytest.mark.parametrize(
    "text",
    [
        "format: 2\n",
        "people: [\n",
        POLICY_TEXT.replace("authors: [security]", "authors: [nobody]"),
        POLICY_TEXT.replace("approvals: 1", "approvals: 9", 1),
        POLICY_TEXT.replace("policies/trust/**", "policies/trust/*.json").replace(
            '"policies/**"', '"x"'
        ),
        POLICY_TEXT.replace("people: 2", "people: 9"),
        POLICY_TEXT.replace("frank@msp.example", "unlisted@msp.example"),
    ],
    ids=["format", "yaml", "author", "approvals", "unowned", "recovery", "principal"],
)
def test_head_whose_policy_could_not_be_lived_with(fleet, text):
    root = fleet.begin()
    fleet.commit("alice", {POLICY: text})
    fleet.approve("bob")
    assert refusal(fleet, root).reason == "trust-policy-broken"


def test_first_policy_is_held_to_nothing_but_itself(fleet):
    root = fleet.begin(policy=None)
    fleet.commit("erin", {POLICY: POLICY_TEXT})
    assert verify(fleet, root)
    fleet.move(root)
    fleet.commit("erin", {POLICY: POLICY_TEXT.replace("people: 2", "people: 7")})
    assert refusal(fleet, root).reason == "trust-policy-broken"


def test_enrolment_asks_for_every_threshold_of_the_history(fleet):
    fleet.begin()
    fleet.commit("alice", EDIT)
    assert refusal(fleet, None).reason == "approvals-missing"
    fleet.approve("bob")
    assert len(verify(fleet, None).commits) == 2


def test_explanation_names_rule_path_and_who_counted(fleet):
    root = fleet.begin()
    tip = fleet.commit("alice", EDIT)
    fleet.approve("alice")
    (wrong,) = [ruling for ruling in rulings(fleet, root) if not ruling.held]
    assert (wrong.rule, wrong.commit, wrong.path, wrong.owner) == (
        "R3 thresholds",
        tip,
        RUNBOOK,
        "runbooks",
    )
    assert "counted: nobody; passed over: alice wrote the change" in wrong.words
