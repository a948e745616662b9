from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from reconciler.evidence import signers, sshsig
from reconciler.model.trust_policy import TrustPolicy
from reconciler.trust.judgement import (
    Attested,
    Occasion,
    Trust,
    approver,
    attested,
    shut_out,
    tally,
)
from reconciler.trust.paths import Owners
from reconciler.trust.people import Holder, People
from reconciler.trust.statements import Approval
from tests.support.evidence_keys import test_key as key_of
from tests.support.trust_fleet import line
from tests.support.trust_policies import MACHINES, PEOPLE, RULES, policy

NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
OCCASION = Occasion("main", NOW, NOW)
APPROVAL = Approval("main", "b" * 40, "c" * 40, None, "bob@msp.example", NOW - HOUR, None)
LINES = (
    line("alice"),
    line("bob"),
    line("bob-yubikey"),
    line("carol"),
    line("ci", namespaces=("reconciler-attestation",)),
)


def public(name):
    return sshsig.raw_public(key_of(name))


def trust(*lines, **changes):
    document = TrustPolicy.model_validate(policy(**changes))
    return Trust(signers.parse("".join(lines or LINES).encode(), "signers"), People(document))


def test_person_who_approved():
    found = approver(trust(), APPROVAL, public("bob"), OCCASION)
    assert isinstance(found, Holder)
    assert found.id == "bob"


@pytest.mark.parametrize(
    ("approval", "why"),
    [
        (replace(APPROVAL, branch="next"), "another branch"),
        (replace(APPROVAL, issued=NOW + timedelta(minutes=6)), "clock"),
        (replace(APPROVAL, expires=NOW - timedelta(seconds=1)), "expired"),
        (replace(APPROVAL, approver="alice@msp.example"), "another approver"),
        (replace(APPROVAL, approver="bob-yubikey@msp.example"), "another approver"),
    ],
)
def test_approval_that_does_not_count(approval, why):
    found = approver(trust(), approval, public("bob"), OCCASION)
    assert isinstance(found, str)
    assert why in found


def test_approval_that_ends_as_the_step_does_counts():
    found = approver(trust(), replace(APPROVAL, expires=NOW), public("bob"), OCCASION)
    assert isinstance(found, Holder)


def test_machine_does_not_approve():
    machine = replace(APPROVAL, approver="ci@msp.example")
    assert approver(trust(), machine, public("ci"), OCCASION) == "it is by a machine"


def test_identity_does_not_approve():
    assert isinstance(approver(trust(), APPROVAL, None, OCCASION), str)


@pytest.mark.parametrize(
    ("bob", "why"),
    [
        (line("bob", namespaces=("git",)), "attestations"),
        (line("bob", before="20261031Z"), "ended"),
        (line("bob", before="202611011130Z"), "ended"),
        (line("bob", after="202611011130Z"), "begun"),
        ("", "not listed"),
    ],
    ids=["namespace", "before issued", "before use", "after issued", "unlisted"],
)
def test_key_must_be_allowed_when_it_signed_and_when_it_is_used(bob, why):
    found = approver(trust(line("alice"), bob), APPROVAL, public("bob"), OCCASION)
    assert isinstance(found, str)
    assert why in found


@pytest.mark.parametrize("effective", ["2026-11-01T11:00:00Z", "2026-11-01T12:00:00Z"])
def test_key_that_was_revoked_when_it_signed_or_when_it_is_used(effective):
    gone = {"key": sshsig.fingerprint(public("bob")), "effective": effective, "reason": "lost"}
    by_step = approver(trust(revoked=(gone,)), APPROVAL, public("bob"), OCCASION)
    by_start = approver(trust(), APPROVAL, public("bob"), OCCASION, [trust(revoked=(gone,)).people])
    assert by_step == by_start == "its key is revoked"


def test_tally_counts_people_once_and_says_who_did_not_count():
    known = trust()
    owned = Owners(TrustPolicy.model_validate(policy())).of("runbooks/x.yaml")
    bob, yubikey = known.people.of("bob@msp.example"), known.people.of("bob-yubikey@msp.example")
    alice, carol = known.people.of("alice@msp.example"), known.people.of("carol@msp.example")
    found = tally(owned, ["alice"], [bob, yubikey, alice, carol, "it had expired"])
    assert found.counted == ("bob",)
    assert found.passed_over == (
        "alice wrote the change",
        "carol has no role that approves it",
        "it had expired",
    )


def test_ci_attests_with_its_role():
    known = trust()
    assert attested(known, public("ci"), "release", NOW - HOUR, NOW) == Attested("ci")
    assert attested(known, public("alice"), "release", NOW, NOW) == "alice has no role release"
    assert isinstance(attested(known, public("ci"), "release", NOW + HOUR, NOW), str)


def test_ci_key_that_ended_attests_no_more():
    known = trust(line("ci", namespaces=("reconciler-attestation",), before="202611011130Z"))
    assert isinstance(attested(known, public("ci"), "release", NOW - HOUR, NOW), str)


ALONE = ({**PEOPLE[0], "roles": ("security", "engineer")},)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, None),
        ({"rules": RULES[1:3]}, "no rule owns"),
        ({"rules": ({**RULES[0], "authors": ("ghost",)}, *RULES[1:])}, "too few people"),
        ({"people": ALONE, "machines": (), "recovery": None}, "too few people"),
        ({"rules": ({**RULES[0], "approvals": 3}, *RULES[1:])}, "too few people"),
        ({"recovery": {"roles": ("owner",), "people": 2}}, "recovery"),
        ({"machines": ({**MACHINES[0], "principals": ("new@msp.example",)},)}, "list"),
    ],
    ids=["fine", "unowned", "no author", "alone", "three", "recovery", "no key"],
)
def test_policy_that_nobody_could_live_with(changes, why):
    found = shut_out(TrustPolicy.model_validate(policy(**changes)), trust().signers)
    assert found is None if why is None else found and why in found
