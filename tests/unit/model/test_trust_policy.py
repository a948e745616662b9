import pytest

from reconciler.desired import strict_yaml
from reconciler.desired.problem import FleetInvalid
from reconciler.model.trust_policy import TrustPolicy
from tests.support.trust_policies import MACHINES, PEOPLE, POLICY, RULES, policy_text


def load(text):
    return strict_yaml.validate(strict_yaml.load(text.encode(), POLICY), TrustPolicy)


def refusal(**changes):
    with pytest.raises(FleetInvalid) as caught:
        load(policy_text(**changes))
    return caught.value


def test_example_of_the_documents():
    whole = load(policy_text())
    assert [member.id for member in whole.people] == ["alice", "bob", "carol"]
    assert whole.rules[0].approving == ("security", "engineer")
    assert whole.rules[1].approving == ("engineer",)
    assert whole.branches == ()


def test_branch_needs_signed_commits_unless_it_says_otherwise():
    whole = load(policy_text(branches=({"name": "main"}, {"name": "ci", "require": ("release",)})))
    assert [branch.require for branch in whole.branches] == [("ssh",), ("release",)]


@pytest.mark.parametrize(
    "changes",
    [
        {"format": 2},
        {"format": True},
        {"format": "1"},
        {"people": ()},
        {"rules": ()},
        {"people": (*PEOPLE, PEOPLE[0])},
        {"people": (*PEOPLE, {**PEOPLE[0], "id": "alice-again"})},
        {"machines": ({**MACHINES[0], "principals": ("alice@msp.example",)},)},
        {"machines": ({**MACHINES[0], "id": "alice"},)},
        {"rules": (*RULES, RULES[0])},
        {"rules": ({**RULES[0], "approvals": -1},)},
        {"rules": ({**RULES[0], "approvals": "1"},)},
        {"rules": ({**RULES[0], "approvals": True},)},
        {"rules": ({**RULES[0], "authors": ()},)},
        {"rules": ({**RULES[0], "authors": ("heartbeat",)},)},
        {"rules": ({**RULES[0], "approvers": ("release",)},)},
        {"rules": ({**RULES[0], "approvers": ()},)},
        {"rules": ({**RULES[0], "author": ("security",)},)},
        {"recovery": {"roles": ("security",), "people": 1}},
        {"recovery": {"roles": ("heartbeat",), "people": 2}},
        {"branches": ({"name": "main"}, {"name": "main"})},
        {"branches": ({"name": "main", "require": ()},)},
        {"branches": ({"name": "main", "require": ("pgp",)},)},
        {"revoked": ({"key": "SHA256:x", "effective": "2026-11-01T00:00:00Z", "reason": "x"},)},
        {"revoked": ({"key": "SHA256:" + "A" * 43, "effective": "2026-11-01", "reason": "x"},)},
        {"identities": ({"name": "ci"},)},
    ],
    ids=lambda changes: str(changes)[:40],
)
def test_policy_that_is_not_one(changes):
    assert refusal(**changes).problems


@pytest.mark.parametrize(
    "pattern",
    [
        "", "/", "a//b", "/a", "a/", "a/**b", "a**", "a/../b", "./a", "[ab]", "a?", "{host}/x",
        "x{client}", "{client}/{client}", "**/{client}", "a\\b", "a\tb", "a" * 600,
    ],
)  # fmt: skip
def test_pattern_that_leaves_something_to_interpretation(pattern):
    error = refusal(rules=({**RULES[0], "paths": (pattern,)}, *RULES[1:]))
    assert "rules[0].paths[0]" in {problem.where.field for problem in error.problems}


def test_identity_holds_attestation_roles_only():
    one = {
        "name": "ci",
        "issuer": "https://token.example",
        "identity": "https://git.example/attest.yml@refs/heads/main",
        "branches": ("main",),
        "roles": ("release",),
    }
    assert load(policy_text(identities=(one,))).identities[0].repository is None
    assert refusal(identities=({**one, "roles": ("engineer",)},)).problems
    assert refusal(identities=({**one, "issuer": "http://token.example"},)).problems
