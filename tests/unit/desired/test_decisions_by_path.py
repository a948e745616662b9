"""Who may sign an exception or an approval: the rule of the trust policy that owns its path.

``owner`` and ``approver`` in such a file are what people say; the signature is what counts.
"""

import pytest

from reconciler.desired.layout import file_of
from reconciler.model.trust_policy import TrustPolicy
from reconciler.trust.paths import Owners
from reconciler.trust.people import People
from tests.support.trust_policies import RULES, policy

DECISIONS = {
    "id": "decisions",
    "paths": ("policies/exceptions/{client}/**", "approvals/{client}/**"),
    "authors": ("engineer",),
    "approvals": 0,
}


def may_sign(kind: str, client: str, principal: str, *rules: dict[str, object]) -> bool:
    document = TrustPolicy.model_validate(policy(rules=(*rules, *RULES)))
    owned = Owners(document).of(file_of(kind, f"{client}/known-gap"))  # type: ignore[arg-type]
    holder = People(document).of(principal)
    assert owned is not None
    return holder is not None and holder.has(owned.rule.authors, owned.client)


@pytest.mark.parametrize("kind", ["exception", "approval"])
def test_an_engineer_of_the_client_may_and_one_of_another_may_not(kind: str) -> None:
    assert may_sign(kind, "elm-street", "alice@msp.example", DECISIONS)
    assert not may_sign(kind, "oak-lane", "alice@msp.example", DECISIONS)
    assert may_sign(kind, "oak-lane", "bob@msp.example", DECISIONS), "who serves all clients"


@pytest.mark.parametrize("principal", ["carol@msp.example", "ci@msp.example", "eve@msp.example"])
def test_another_role_a_machine_or_a_stranger_may_not(principal: str) -> None:
    assert not may_sign("exception", "elm-street", principal, DECISIONS)
    assert not may_sign("approval", "elm-street", principal, DECISIONS)


def test_without_a_rule_for_approvals_the_rule_for_the_rest_asks_for_a_second_person() -> None:
    document = TrustPolicy.model_validate(policy())
    owned = Owners(document).of("approvals/elm-street/restart.yaml")
    assert owned is not None
    assert (owned.rule.id, owned.rule.approvals) == ("rest", 1)
