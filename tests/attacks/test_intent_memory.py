"""What must not count a second time, on another branch, or after a key turned out to be stolen.

`test_intent_authority.py` lists which file holds which attack.
"""

import shutil

import pytest

from reconciler.errors import IntentRefused
from tests.support.drill import break_sysctl
from tests.support.fleet_git import NOW, at
from tests.support.intent_drill import IntentDrill, copied, new_intent_drill, reset
from tests.support.reference_git import History
from tests.support.reference_taint import tainted
from tests.support.reference_trust import Question
from tests.support.trust_attacks import CLINIC, EDIT, RUNBOOK
from tests.support.trust_fleet import POLICY, POLICY_TEXT, TrustFleet
from tests.support.trust_signing import fingerprint, moment


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> IntentDrill:
    site = new_intent_drill(tmp_path_factory.mktemp("site") / "site")
    site.fleet.commit("bob", {CLINIC: "id: note\n"})
    assert site.run().intent.commit == site.fleet.head
    return site


@pytest.fixture
def site(begun, tmp_path):
    return copied(begun, tmp_path / "site")


@pytest.fixture
def fleet(tmp_path):
    return TrustFleet(tmp_path / "fleet.git")


# --- recoveries ---------------------------------------------------------------------------------


def recovered(site: IntentDrill) -> tuple[str, str]:
    """An appliance that followed a recovery; returns what was replaced, and by what."""
    lost = site.fleet.head
    found = site.fleet.commit("bob", {CLINIC: "found\n"}, parents=site.fleet.parents(lost))
    site.fleet.recover(["alice", "carol"], [lost], found, issued=site.now())
    report = site.run()
    assert (report.intent.refused, report.intent.commit) == (None, found)
    return lost, found


def test_recovery_that_was_used_is_not_used_again(site):
    """The host keeps it, and shows it again when people have long decided otherwise."""
    lost, found = recovered(site)
    site.fleet.recover(["alice", "carol"], [found], lost, issued=site.now(1))
    site.fleet.move(lost)
    assert site.run().intent.commit == lost, "the honest twin: people go back, and say so anew"
    site.fleet.move(found)
    report = site.run()
    assert report.intent.refused == "not-fast-forward"
    assert site.accepted == lost


def test_recovery_that_was_used_is_remembered_without_the_mirror(site):
    """Without the accepted commit there is nothing to run; the old line is not believed either."""
    lost, found = recovered(site)
    site.fleet.recover(["alice", "carol"], [found], lost, issued=site.now(1))
    site.fleet.move(lost)
    site.run()
    shutil.rmtree(site.drill.site.directory / "state")
    (site.drill.site.directory / "state").mkdir()
    site.fleet.move(found)
    with pytest.raises(IntentRefused) as caught:
        site.run()
    assert caught.value.reason == "not-fast-forward"
    assert site.accepted == lost


def test_attestations_that_vanish_take_nothing_back(site):
    """Approvals were held when they were asked for; the host deletes them afterwards."""
    site.fleet.commit("alice", EDIT)
    site.fleet.approve("bob")
    assert site.run().intent.commit == site.fleet.head
    reset(site, site.fleet.head, None)
    report = site.run()
    assert (report.intent.refused, report.intent.commit) == (None, site.fleet.head)
    site.fleet.commit("bob", {CLINIC: "next\n"})
    assert site.run().intent.commit == site.fleet.head


# --- branches -----------------------------------------------------------------------------------

_BRANCHES = POLICY_TEXT + "branches: [{name: main}, {name: staging}]\n"


def test_branch_that_is_not_listed(fleet):
    accepted = fleet.begin(policy=POLICY_TEXT + "branches: [{name: main}]\n")
    fleet.commit("bob", {CLINIC: "x\n"})
    with pytest.raises(IntentRefused) as caught:
        fleet.verify(accepted, branch="staging")
    assert caught.value.reason == "branch-untrusted"
    assert fleet.verify(accepted, branch="main").commit == fleet.head


def test_two_branches_with_one_head_do_not_share_approvals(fleet):
    """What was approved for staging is at the head of main, byte for byte."""
    accepted = fleet.begin(policy=_BRANCHES)
    fleet.commit("alice", EDIT)
    fleet.approve("bob", branch="staging")
    assert fleet.verify(accepted, branch="staging").commit == fleet.head
    with pytest.raises(IntentRefused) as caught:
        fleet.verify(accepted, branch="main")
    assert caught.value.reason == "approvals-missing"


def test_two_branches_with_one_head_do_not_share_recoveries(fleet):
    root = fleet.begin(policy=_BRANCHES)
    lost = fleet.commit("bob", {CLINIC: "lost\n"})
    found = fleet.commit("bob", {CLINIC: "found\n"}, parents=[root])
    fleet.recover(["alice", "carol"], [lost], found, branch="staging")
    assert fleet.verify(lost, branch="staging").recovery is not None
    with pytest.raises(IntentRefused) as caught:
        fleet.verify(lost, branch="main")
    assert caught.value.reason == "not-fast-forward"


# --- pins ---------------------------------------------------------------------------------------


def test_pin_that_is_not_in_the_history_enrols_nobody(fleet):
    fleet.begin()
    fleet.commit("bob", {CLINIC: "x\n"})
    with pytest.raises(IntentRefused) as caught:
        fleet.verify(None, pin="1" * 40)
    assert caught.value.reason == "not-fast-forward"
    assert fleet.verify(None, pin=fleet.parents(fleet.head)[0]).commit == fleet.head


def test_pin_does_not_excuse_what_follows_it(fleet):
    pin = fleet.begin()
    fleet.commit("alice", EDIT)
    with pytest.raises(IntentRefused) as caught:
        fleet.verify(None, pin=pin)
    assert caught.value.reason == "approvals-missing"


def test_first_head_does_not_excuse_itself_from_signatures(fleet):
    """The first policy says that a release is enough, and its own machine releases it."""
    fleet.begin(policy=POLICY_TEXT + "branches: [{name: main, require: [release]}]\n")
    fleet.commit(None, {CLINIC: "x\n"})
    fleet.release("ci")
    with pytest.raises(IntentRefused) as caught:
        fleet.verify(None)
    assert caught.value.reason == "unsigned"


# --- content of a stolen key --------------------------------------------------------------------


def revoking(key: str, minutes: float) -> str:
    """The policy with a key that is not believed from a minute on."""
    entry = f'{{key: "{fingerprint(key)}", effective: "{moment(at(minutes))}", reason: stolen}}'
    return POLICY_TEXT + f"revoked: [{entry}]\n"


def stolen(fleet: TrustFleet, begin: float = 10) -> str:
    """Erin's key writes a runbook, which Bob believes; then it turns out to be stolen."""
    accepted = fleet.head
    fleet.commit("erin", EDIT, minutes=begin)
    fleet.approve("bob")
    fleet.commit("alice", {POLICY: revoking("erin", begin - 5)}, minutes=begin + 10)
    fleet.approve("bob")
    return accepted


def paths(fleet: TrustFleet, accepted: str) -> set[str]:
    """What both opinions hold back of the head."""
    found = {one.path for one in fleet.verify(accepted, now=NOW).tainted}
    history = History(fleet.path)
    question = Question(history, fleet.head, accepted, b"", NOW, attestations=fleet.attestations)
    assert tainted(question) == found
    return found


def test_content_of_a_revoked_key_is_held_back(fleet):
    fleet.begin()
    accepted = stolen(fleet)
    for in_force in (accepted, fleet.parents(fleet.head)[0]):
        assert paths(fleet, in_force) == {RUNBOOK}


def test_content_from_before_the_theft_is_not_held_back(fleet):
    fleet.begin()
    accepted = stolen(fleet)
    fleet.commit("alice", {POLICY: revoking("erin", 15)})
    fleet.approve("bob")
    assert paths(fleet, accepted) == set()


def test_key_that_is_known_to_be_stolen_signs_nothing_more(fleet):
    fleet.begin()
    stolen(fleet)
    accepted = fleet.head
    fleet.commit("erin", {"hosts/elm-street/NOTES.md": "x\n"})
    with pytest.raises(IntentRefused) as caught:
        fleet.verify(accepted)
    assert caught.value.reason == "signer-revoked"


@pytest.mark.parametrize(
    ("people", "cleared"),
    [
        (["alice", "bob"], True),
        (["alice"], False),
        (["alice", "erin"], False),
        (["bob", "bob-sk"], False),
        (["alice", "bot"], False),
        (["alice", "frank"], False),
    ],
    ids=["two others", "one", "the key's owner", "one with two keys", "a machine", "no role"],
)
def test_only_one_more_than_the_rule_asks_for_clears_it(fleet, people, cleared):
    fleet.begin()
    stolen(fleet)
    in_force = fleet.parents(fleet.head)[0]
    fleet.commit("bob", {CLINIC: "looked at\n"})
    for person in people:
        fleet.approve(person)
    assert paths(fleet, in_force) == (set() if cleared else {RUNBOOK})


def test_who_agreed_with_the_revocation_did_not_agree_with_the_rest(fleet):
    fleet.begin()
    stolen(fleet)
    in_force = fleet.parents(fleet.head)[0]
    fleet.approve("carol")
    fleet.approve("alice")
    assert paths(fleet, in_force) == {RUNBOOK}


@pytest.mark.parametrize(("effective", "held"), [(60, True), (10**6, False)])
def test_approval_dated_back_by_a_second_stolen_key_clears_nothing(fleet, effective, held):
    """Carol's key is known to be stolen as well; its thief dates an approval to before that."""
    accepted = fleet.begin()
    fleet.commit("erin", EDIT, minutes=10)
    fleet.approve("bob")
    other = (
        f'{{key: "{fingerprint("carol")}", effective: "{moment(at(effective))}", reason: stolen}}'
    )
    both = revoking("erin", 5).replace("revoked: [", f"revoked: [{other}, ")
    fleet.commit("alice", {POLICY: both}, minutes=20)
    fleet.approve("bob")
    fleet.commit("bob", {CLINIC: "looked at\n"}, minutes=80)
    fleet.approve("carol", issued=30)
    fleet.approve("alice")
    assert paths(fleet, accepted) == ({RUNBOOK} if held else set())


def test_content_written_anew_is_nobodys_taint(fleet):
    fleet.begin()
    stolen(fleet)
    in_force = fleet.parents(fleet.head)[0]
    fleet.commit("alice", {RUNBOOK: "id: RB-A-001\ntitle: clean\n"})
    fleet.approve("bob")
    assert paths(fleet, in_force) == set()


def test_machine_does_not_act_on_content_of_a_revoked_key(site):
    begin = site.now(5)
    site.drill.clock.pass_time(3600)
    site.fleet.commit("erin", EDIT, minutes=begin)
    site.fleet.approve("bob")
    assert site.run().intent.commit == site.fleet.head
    break_sysctl(site.drill.machine)
    site.fleet.commit("alice", {POLICY: revoking("erin", begin - 1)}, minutes=begin + 10)
    site.fleet.approve("bob")
    report = site.run()
    assert report.intent.commit == site.fleet.head
    assert [(hold.reason, hold.paths) for hold in report.intent.holds] == [
        ("revoked-content", (RUNBOOK,))
    ]
    assert site.drill.carried == []
    assert site.refusals()[-1][0] == "revoked-content"

    site.fleet.commit("alice", {RUNBOOK: "clean\n"}, minutes=begin + 20)
    site.fleet.approve("bob")
    report = site.run()
    assert report.intent.holds == ()
    assert site.drill.carried
