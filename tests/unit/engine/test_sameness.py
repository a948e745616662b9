"""What makes a run say everything again: news, and nothing that moves by itself."""

from typing import Any

import pytest

from reconciler.engine.sameness import found_the_same

LEFT = {
    "action": "f" * 64,
    "runbook": "RB-SERVICE-001",
    "rules": ["units-running[bridge]"],
    "result": "denied",
    "guard": "flap",
    "reason": "it does not hold: score 2900",
    "retry_after_s": 600,
}


def body(**changes: Any) -> dict[str, Any]:
    return {"intent": {}, "findings": [], "outcomes": [], "not_done": [LEFT | changes]}


@pytest.mark.parametrize(
    "changes", [{"retry_after_s": 300}, {"reason": "it does not hold: score 2800"}]
)
def test_how_long_a_guard_still_holds_is_no_news(changes: dict[str, Any]) -> None:
    assert found_the_same(body(**changes), body(), {})


@pytest.mark.parametrize(
    "changes", [{"guard": "breaker"}, {"result": "deferred"}, {"action": "e" * 64}, {"rules": []}]
)
def test_another_guard_or_another_action_is_news(changes: dict[str, Any]) -> None:
    assert not found_the_same(body(**changes), body(), {})


def test_another_condition_of_a_runbook_is_news() -> None:
    full = body(guard="precheck", reason="LNX-CAP-001: the disk is full")
    busy = body(guard="precheck", reason="LNX-AVL-002: another one is at work")
    assert found_the_same(full | {"run": "2"}, full | {"run": "1"}, {})
    assert not found_the_same(busy, full, {})


def test_an_outcome_or_a_transition_is_news() -> None:
    assert not found_the_same(body() | {"incidents": [{"to": "waiting"}]}, body(), {})
    healed = {"outcomes": [{"action": "f" * 64, "result": "healed"}]}
    assert not found_the_same(body() | healed, body() | healed, {})
