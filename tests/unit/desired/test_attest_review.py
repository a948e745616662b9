from datetime import timedelta
from pathlib import Path

import pygit2
import pytest

from reconciler.desired.attest.clone import AttestClone
from reconciler.desired.attest.counter import next_counter
from reconciler.desired.attest.review import Review, principal_of, review
from reconciler.desired.attestations import Attestations
from reconciler.desired.trust.case import Case
from reconciler.errors import InputError, IntentRefused
from reconciler.evidence import sshsig
from reconciler.trust.statements import Approval
from tests.support.evidence_keys import test_key as key_of
from tests.support.fleet_git import at
from tests.support.trust_fleet import POLICY, POLICY_TEXT, TrustFleet
from tests.support.trust_signing import key_blob

RUNBOOK = {"runbooks/RB-A-001.yaml": "id: RB-A-001\nmode: observe\n"}
HOST = {"hosts/example-clinic/new.yaml": "id: new\n"}


@pytest.fixture
def fleet(tmp_path: Path) -> TrustFleet:
    made = TrustFleet(tmp_path / "fleet.git")
    made.begin()
    return made


def case_of(fleet: TrustFleet, base: str, head: str) -> Case:
    clone = AttestClone(Path(fleet.repository.path))
    beside = Attestations(fleet.repository, fleet.attestations)
    now = at(fleet.minutes) + timedelta(minutes=1)
    return clone.case(base, head, fleet.branch, beside, now)


def reviewed(fleet: TrustFleet, base: str, mine: tuple[Approval, bytes] | None = None) -> Review:
    return review(case_of(fleet, base, fleet.head), mine)


def test_a_change_by_one_waits_for_another(fleet: TrustFleet) -> None:
    base = fleet.head
    fleet.commit("alice", {**RUNBOOK, **HOST})
    clients, runbooks = reviewed(fleet, base).rules
    assert (clients.rule, clients.client, clients.needs) == ("clients", "example-clinic", 0)
    assert (runbooks.rule, runbooks.client, runbooks.needs) == ("runbooks", None, 1)
    assert runbooks.paths == tuple(RUNBOOK)
    assert runbooks.authors == ("alice",)
    assert (runbooks.counted, runbooks.missing, clients.missing) == ((), 1, 0)


def test_approvals_that_are_there_and_the_one_to_come_count(fleet: TrustFleet) -> None:
    base = fleet.head
    fleet.commit("alice", RUNBOOK)
    fleet.approve("bob", fleet.head, base=base)
    (row,) = reviewed(fleet, base).rules
    assert (row.counted, row.missing) == (("bob",), 0)
    tree = fleet.tree_id(fleet.head)
    now = at(fleet.minutes)
    mine = Approval("main", base, tree, None, "carol@msp.example", now, None)
    public = sshsig.raw_public(key_of("carol"))
    (row,) = reviewed(fleet, base, (mine, public)).rules
    assert row.counted == ("bob", "carol")


def test_two_keys_of_one_person_count_once(fleet: TrustFleet) -> None:
    base = fleet.head
    fleet.commit("alice", RUNBOOK)
    for name in ("bob", "bob-sk"):
        fleet.approve(name, fleet.head, base=base)
    (row,) = reviewed(fleet, base).rules
    assert row.counted == ("bob",)


@pytest.mark.parametrize(
    ("by", "options", "why"),
    [
        ("alice", {}, "alice wrote the change"),
        ("frank", {}, "frank has no role that approves it"),
        ("ci", {}, "it is by a machine"),
        ("mallory", {}, "its key is not listed"),
        ("bob", {"branch": "other"}, "it is for another branch"),
        ("bob", {"expires": 1}, "it had expired"),
        ("bob", {"approver": "carol@msp.example"}, "it names another approver than its key's"),
    ],
)
def test_what_does_not_count_says_why(fleet: TrustFleet, by: str, options: dict, why: str) -> None:
    base = fleet.head
    fleet.commit("alice", RUNBOOK)
    fleet.approve(by, fleet.head, base=base, **options)
    (row,) = reviewed(fleet, base).rules
    assert (row.counted, row.passed_over, row.missing) == ((), (why,), 1)


@pytest.mark.parametrize("base", [None, "f" * 40])
def test_an_approval_for_another_base_is_not_counted(fleet: TrustFleet, base: str | None) -> None:
    before = fleet.head
    fleet.commit("alice", RUNBOOK)
    fleet.approve("bob", fleet.head, base=base)
    (row,) = reviewed(fleet, before).rules
    assert row.missing == 1


def test_everybody_who_touched_it_is_an_author(fleet: TrustFleet) -> None:
    base = fleet.head
    fleet.commit("alice", RUNBOOK)
    fleet.commit("bob", {"runbooks/RB-A-001.yaml": "id: RB-A-001\n"})
    fleet.commit(None, {"runbooks/RB-A-002.yaml": "id: RB-A-002\n"})
    (row,) = reviewed(fleet, base).rules
    assert row.authors == ("alice", "bob")


def test_a_path_without_a_rule_is_said(fleet: TrustFleet) -> None:
    base = fleet.head
    fleet.commit("alice", {"flake.nix": "{}\n"})
    (row,) = reviewed(fleet, base).rules
    assert (row.rule, row.paths, row.missing) == (None, ("flake.nix",), 0)


def test_without_a_policy_nobody_needs_to_agree(tmp_path: Path) -> None:
    fleet = TrustFleet(tmp_path / "plain.git")
    base = fleet.begin(policy=None)
    fleet.commit("alice", RUNBOOK)
    found = reviewed(fleet, base)
    assert not found.policy
    assert found.rules[0].paths == tuple(RUNBOOK)
    assert reviewed(fleet, fleet.head).rules == ()


def test_a_policy_that_cannot_be_read_is_no_empty_one(tmp_path: Path) -> None:
    fleet = TrustFleet(tmp_path / "broken.git")
    base = fleet.begin(policy="format: 2\n")
    fleet.commit("alice", RUNBOOK)
    with pytest.raises(IntentRefused):
        reviewed(fleet, base)


def test_a_key_speaks_for_its_principal(fleet: TrustFleet) -> None:
    case = case_of(fleet, fleet.head, fleet.head)
    signers = case.files.signers(fleet.head, fleet.head)
    for name in ("bob", "bob-sk"):
        public = key_blob(name) if name == "bob-sk" else sshsig.raw_public(key_of(name))
        assert principal_of(signers, public, case) == f"{name}@msp.example"
    with pytest.raises(InputError, match="unknown-key"):
        principal_of(signers, sshsig.raw_public(key_of("mallory")), case)


def test_heartbeats_are_counted_on_from_who_may_sign_them(fleet: TrustFleet) -> None:
    head = fleet.head
    assert next_counter(case_of(fleet, head, head)) == (1, ())
    fleet.heartbeat("ci", head, counter=41)
    assert next_counter(case_of(fleet, head, head)) == (42, ())
    fleet.heartbeat("bob", head, counter=2**53 - 1)
    number, passed = next_counter(case_of(fleet, head, head))
    assert number == 1
    assert passed == (("heartbeats/main/heartbeat.dsse.json", "bob has no role heartbeat"),)


def test_a_key_of_ci_that_ended_counts_for_what_it_signed(fleet: TrustFleet) -> None:
    head = fleet.head
    fleet.heartbeat("ci", head, counter=41)
    text = (
        fleet.repository[head]
        .peel(pygit2.Tree)["policies"]["trust"]["allowed_signers"]
        .data.decode()
    )
    options = 'namespaces="reconciler-attestation"'
    ended = text.replace(
        f"ci@msp.example {options}", f'ci@msp.example {options},valid-before="20260303Z"'
    )
    assert ended != text
    fleet.commit("alice", {"policies/trust/allowed_signers": ended})
    fleet.later(days=30)
    assert next_counter(case_of(fleet, fleet.head, fleet.head)) == (42, ())


def test_without_a_policy_there_is_nothing_to_count_on_from(tmp_path: Path) -> None:
    fleet = TrustFleet(tmp_path / "plain.git")
    head = fleet.begin(policy=None)
    fleet.heartbeat("ci", head, counter=41)
    number, passed = next_counter(case_of(fleet, head, head))
    assert (number, [why for _, why in passed]) == (1, ["there is no trust policy"])
    assert POLICY_TEXT.startswith("format: 1") and POLICY.endswith("policy.yaml")
