"""A choice of a language model is explained as what it is, and nothing else is taken over."""

from typing import Any

from reconciler.engine.inquiry.guards import with_advice
from reconciler.evidence.bodies import action_body
from reconciler.model.plan import Plan, Unplanned
from reconciler.plan.planner import plan_of
from tests.support.desired_states import TARGET, make_action


def planned(*reasons: str) -> Plan:
    left = [Unplanned(f"rule-{n}", reason) for n, reason in enumerate(reasons)]  # type: ignore[arg-type]
    return plan_of([make_action()], left)


def recorded(*rules: str, tier: str = "L2") -> dict[str, Any]:
    action = make_action(rules, params={"units": ("a", "b")}, id="9" * 64, tier=tier)
    return action_body(action)


def test_a_choice_of_the_run_stands_for_rules_that_nothing_else_answers() -> None:
    found = with_advice(planned("no-remedy", "no-remedy"), [recorded("rule-1")], TARGET)
    assert [(a.tier, a.rules) for a in found.actions] == [("L1", ("time",)), ("L2", ("rule-1",))]
    assert found.actions[1] == make_action(
        ("rule-1",), params={"units": ("a", "b")}, id="9" * 64, tier="L2"
    )
    assert [left.rule for left in found.unplanned] == ["rule-0"]


def test_what_is_observed_answered_or_gone_is_not_taken_over() -> None:
    before = planned("observe", "no-remedy")
    for action in (recorded("rule-0"), recorded("rule-0", "rule-1"), recorded("rule-7")):
        assert with_advice(before, [action], TARGET) == before
    assert with_advice(before, [recorded("rule-1", tier="L1")], TARGET) == before
