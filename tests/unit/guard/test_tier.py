import pytest

from reconciler.guard import tier
from reconciler.guard.gate import admit
from reconciler.model.verdict import Verdict
from tests.support.desired_states import make_action, make_desired
from tests.support.guarding import make_context


def verdict(*features: str) -> Verdict:
    desired = make_desired(features=frozenset(features))
    return tier.judge(make_action(), make_context(desired=desired))


def test_a_tier_that_heals_allows() -> None:
    assert verdict("observe", "heal") == Verdict("allow", "tier")


@pytest.mark.parametrize("features", [(), ("observe",), ("observe", "packet", "saas")])
def test_any_other_denies_and_names_the_tier(features: tuple[str, ...]) -> None:
    assert verdict(*features) == Verdict("deny", "tier", "tier professional does not heal")


def test_the_gate_stops_there() -> None:
    desired = make_desired(features=frozenset({"observe"}))
    last = admit(make_action(), make_context(desired=desired))[-1]
    assert (last.guard, last.ruling) == ("tier", "deny")
