from datetime import UTC, datetime, timedelta

import pytest

from reconciler.evidence import sshsig
from reconciler.model.trust_policy import TrustPolicy
from reconciler.trust.paths import Owners
from reconciler.trust.people import People, may_approve, may_author
from tests.support.evidence_keys import test_key as key_of
from tests.support.trust_policies import policy

THEN = datetime(2026, 11, 1, tzinfo=UTC)
PUBLIC = sshsig.raw_public(key_of("alice"))


def people(**changes):
    return People(TrustPolicy.model_validate(policy(**changes)))


def test_two_principals_are_one_person():
    known = people()
    assert known.of("bob@msp.example") is known.of("bob-yubikey@msp.example")
    assert known.person("bob@msp.example").id == "bob"


def test_machine_is_a_member_and_no_person():
    known = people()
    assert known.of("ci@msp.example").id == "ci"
    assert known.person("ci@msp.example") is None
    assert "ci" not in {holder.id for holder in known.persons}


def test_stranger_is_nobody():
    assert people().of("mallory@msp.example") is None


@pytest.mark.parametrize(
    ("who", "path", "author", "approver"),
    [
        ("alice", "hosts/elm-street/x.yaml", True, True),
        ("alice", "hosts/oak-road/x.yaml", False, False),
        ("bob", "hosts/oak-road/x.yaml", True, True),
        ("bob", "policies/trust/policy.yaml", False, True),
        ("carol", "policies/trust/policy.yaml", True, True),
        ("carol", "README.md", False, False),
        ("ci", "README.md", False, False),
    ],
)
def test_roles_and_clients_decide(who, path, author, approver):
    document = TrustPolicy.model_validate(policy())
    holder = People(document).of(f"{who}@msp.example")
    owned = Owners(document).of(path)
    assert (may_author(holder, owned), may_approve(holder, owned)) == (author, approver)


def test_machine_with_an_engineers_role_writes_and_does_not_approve():
    bot = {"id": "bot", "principals": ("bot@msp.example",), "roles": ("engineer",)}
    document = TrustPolicy.model_validate(policy(machines=(bot,)))
    holder = People(document).of("bot@msp.example")
    owned = Owners(document).of("README.md")
    assert may_author(holder, owned)
    assert not may_approve(holder, owned)


def test_revoked_key_is_revoked_from_its_instant_on():
    gone = {"key": sshsig.fingerprint(PUBLIC), "effective": "2026-11-01T00:00:00Z", "reason": "x"}
    known = people(revoked=(gone,))
    assert known.revoked(PUBLIC, THEN)
    assert not known.revoked(PUBLIC, THEN - timedelta(seconds=1))
    assert not known.revoked(sshsig.raw_public(key_of("bob")), THEN)
    assert known.first_effective() == known.effective(PUBLIC) == THEN
    assert people().first_effective() is None
