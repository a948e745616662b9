"""A limit of freshness that nobody can show to be kept is refused before it reaches a machine."""

import pytest

from reconciler.desired.fleet import read_fleet
from reconciler.desired.graph import check_fleet
from tests.support.policy import CHECKS, STEPS, base_files
from tests.support.trust_fleet import POLICY_TEXT

CLIENT = "hosts/clinic/client.yaml"
POLICY = "policies/trust/policy.yaml"
NOBODY = POLICY_TEXT.replace("[heartbeat, release]", "[release]")
IDENTITY = (
    NOBODY
    + """\
identities:
  - name: ci
    issuer: https://issuer.example
    identity: https://example.org/flow@main
    branches: [main]
    roles: [heartbeat]
"""
)


def said(policy: str | None, limit: str | None) -> list[tuple[str, str]]:
    files = base_files()
    if policy is not None:
        files[POLICY] = policy.encode()
    if limit is not None:
        files[CLIENT] += f"freshness_h: {limit}\n".encode()
    found = check_fleet(read_fleet(files), CHECKS, STEPS)
    return [(problem.severity, problem.message) for problem in found]


@pytest.mark.parametrize("policy", [POLICY_TEXT, IDENTITY])
def test_a_limit_with_somebody_who_signs_heartbeats_is_fine(policy: str) -> None:
    assert said(policy, "26") == []


@pytest.mark.parametrize("policy", [NOBODY, None, "format: [broken\n"])
def test_a_limit_that_nobody_could_keep_is_an_error(policy: str | None) -> None:
    ((severity, message),) = said(policy, "26")

    assert severity == "error"
    assert "nobody" in message
    assert "role heartbeat" in message


def test_heartbeats_that_no_client_asks_for_are_a_warning() -> None:
    ((severity, message),) = said(POLICY_TEXT, None)

    assert severity == "warning"
    assert message.startswith("is absent")


def test_without_heartbeats_and_without_a_limit_there_is_nothing_to_say() -> None:
    assert said(NOBODY, None) == []


@pytest.mark.parametrize("limit", ["0", "8761", "1.5", "true", "-1"])
def test_a_limit_is_a_whole_number_of_hours_up_to_a_year(limit: str) -> None:
    found = said(POLICY_TEXT, limit)

    assert "error" in [severity for severity, _message in found]
