from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.desired.attest.branch import placed
from reconciler.desired.attest.clone import AttestClone
from reconciler.desired.attest.show import look
from reconciler.desired.attestations import Attestations
from reconciler.trust import envelope, statements
from reconciler.trust.statements import Heartbeat, Recovery, Statement
from tests.support.evidence_keys import test_key as key_of
from tests.support.fleet_git import at
from tests.support.trust_fleet import POLICY_TEXT, TrustFleet

HOST = {"hosts/example-clinic/new.yaml": "id: new\n"}
NO_RECOVERY = POLICY_TEXT.replace("recovery: {roles: [security, owner], people: 2}\n", "")


def begun(tmp_path: Path, policy: str | None = POLICY_TEXT) -> TrustFleet:
    fleet = TrustFleet(tmp_path / "fleet.git")
    fleet.begin(policy=policy)
    fleet.commit("alice", HOST)
    return fleet


def shown(fleet: TrustFleet) -> list[str]:
    """For each file whom it counts for, or why it does not."""
    clone = AttestClone(Path(fleet.repository.path))
    beside = Attestations(fleet.repository, fleet.attestations)
    now = at(fleet.minutes) + timedelta(minutes=1)
    case = clone.case(fleet.head, fleet.head, fleet.branch, beside, now)
    found, unread = look(clone, case)
    assert unread == {}
    assert all((one.who is None) == bool(one.why) for one in found)
    return [one.who or one.why for one in found]


def signed(fleet: TrustFleet, statement: Statement, by: str) -> None:
    """Put a statement of any content where it belongs."""
    payload = statements.write(statement)
    ((path, data),) = placed(envelope.seal(payload, key_of(by)), payload, ".dsse.json").items()
    fleet.put(path, data)


def test_what_holds_counts_for_somebody(tmp_path: Path) -> None:
    fleet = begun(tmp_path)
    base = fleet.parents(fleet.head)[0]
    fleet.approve("bob", fleet.head, base=base)
    fleet.release("ci", fleet.head)
    fleet.heartbeat("ci", fleet.head, counter=1)
    fleet.recover(["carol"], replaces=[base])
    assert shown(fleet) == ["bob", "ci", "ci", "carol"]


def test_a_base_that_is_not_here(tmp_path: Path) -> None:
    fleet = begun(tmp_path)
    for base in (None, "f" * 40):
        fleet.approve("bob", fleet.head, base=base)
    fleet.recover(["carol"], replaces=["f" * 40])
    assert shown(fleet) == ["it names a commit that is not here"] * 3


def test_without_a_policy_nothing_counts(tmp_path: Path) -> None:
    fleet = begun(tmp_path, policy=None)
    fleet.approve("bob", fleet.head)
    fleet.release("ci", fleet.head)
    fleet.heartbeat("ci", fleet.head, counter=1)
    fleet.recover(["carol"], replaces=[fleet.parents(fleet.head)[0]])
    assert shown(fleet) == ["there is no trust policy to say who counts"] * 4


@pytest.mark.parametrize(
    ("people", "policy", "why"),
    [
        (["erin"], POLICY_TEXT, "erin has no role of the recovery"),
        (["ci"], POLICY_TEXT, "ci has no role of the recovery"),
        (["mallory"], POLICY_TEXT, "its key is not listed"),
        (["carol"], NO_RECOVERY, "the trust policy that it replaces knows no recovery"),
    ],
)
def test_a_recovery_by_who_may_not(
    tmp_path: Path, people: list[str], policy: str, why: str
) -> None:
    fleet = begun(tmp_path, policy)
    fleet.recover(people, replaces=[fleet.parents(fleet.head)[0]])
    assert shown(fleet) == [why]


def test_a_recovery_to_what_is_not_here(tmp_path: Path) -> None:
    fleet = begun(tmp_path)
    base = fleet.parents(fleet.head)[0]
    tree, now = fleet.tree_id(fleet.head), at(fleet.minutes)
    signed(fleet, Recovery("main", (base,), fleet.head, "0" * 64, tree, now, "re-root"), "carol")
    assert shown(fleet) == ["it leads to a commit that is not here, or has other content"]


def test_a_heartbeat_for_other_content(tmp_path: Path) -> None:
    fleet = begun(tmp_path)
    signed(fleet, Heartbeat("main", fleet.head, "0" * 64, 1, at(fleet.minutes)), "ci")
    assert shown(fleet) == ["it names a commit with other content"]
