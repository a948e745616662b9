from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reconciler.guard.advice_budget import (
    BASE_S,
    CAP_S,
    AdviceBudget,
    after_advice,
    endpoint_key,
    refusal,
)
from reconciler.guard.memory_form import Malformed
from reconciler.model.guard_settings import AdviceSettings

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
NUMBERS = AdviceSettings()
ENDPOINT, MODEL = "compatible http://127.0.0.1:1", "small"
KEY = endpoint_key(ENDPOINT, MODEL)
FAULT = "0123456789ab-1"


def asked(budget: AdviceBudget, at: datetime = NOW, incident: str = FAULT) -> AdviceBudget:
    return after_advice(budget, {"phase": "asked", "incident": incident}, at)


def answered(budget: AdviceBudget, result: str, at: datetime = NOW, **more: Any) -> AdviceBudget:
    body = {"phase": "answered", "result": result, "level": "json-schema", "status": 200}
    body |= {"incident": FAULT, "action": "c" * 64 if result == "accepted" else None}
    return after_advice(budget, body | {"endpoint": ENDPOINT, "model": MODEL} | more, at)


def may(budget: AdviceBudget, at: datetime = NOW, incident: str = FAULT, **numbers: int) -> object:
    return refusal(budget, incident, KEY, AdviceSettings(**(NUMBERS.model_dump() | numbers)), at)


def fault(number: int) -> str:
    return f"{number:012x}-1"


def test_a_fault_is_asked_about_so_often_and_no_more_however_often_it_comes_back() -> None:
    once = asked(AdviceBudget.empty())
    twice = asked(once, NOW + timedelta(minutes=5), "0123456789ab-2")

    assert may(once) is None
    assert may(twice) == may(twice, incident="0123456789ab-9") == "over-budget"
    assert may(twice, incident=fault(1)) is None
    assert may(twice, per_incident=3) is None
    assert may(AdviceBudget.empty(), per_incident=0) == "over-budget"


def test_the_budget_of_a_day_begins_again_with_the_day_in_utc_and_not_before() -> None:
    budget = AdviceBudget.empty()
    for number in range(60):
        assert may(budget, incident=fault(number)) is None
        budget = asked(budget, NOW, fault(number))

    assert may(budget, incident=fault(99)) == "over-budget"
    assert may(budget, NOW - timedelta(days=1), fault(99)) == "over-budget", "the clock went back"
    assert may(budget, NOW + timedelta(days=1), fault(99)) is None
    late = asked(budget, NOW - timedelta(days=1), fault(99))
    assert (late.day, late.today) == ("2026-03-02", 61)


def test_a_question_without_an_answer_is_counted_as_one_with() -> None:
    crashed = asked(asked(AdviceBudget.empty()))
    assert may(crashed) == "over-budget"


def test_an_endpoint_that_is_silent_is_left_alone_longer_each_time() -> None:
    budget, waits = AdviceBudget.empty(), []
    for number in range(12):
        budget = answered(budget, "timeout" if number % 2 else "unreachable")
        free = (
            s for s in range(0, CAP_S + 1, 60) if may(budget, NOW + timedelta(seconds=s)) is None
        )
        waits.append(next(free))

    assert waits[0] == BASE_S
    assert waits == sorted(waits)
    assert waits[-1] == CAP_S
    assert may(budget, NOW - timedelta(days=3)) == "unreachable", "the clock went back"
    assert may(answered(budget, "escalate")) is None


@pytest.mark.parametrize(
    ("result", "status", "level"),
    [
        ("accepted", 200, "json-object"),
        ("invalid", 200, "json-schema"),
        ("invalid", 400, "text"),
        ("unreachable", None, "json-schema"),
        ("timeout", None, "json-schema"),
    ],
)
def test_the_level_that_worked_is_remembered(result: str, status: int, level: str) -> None:
    budget = answered(AdviceBudget.empty(), result, level="json-object", status=status)
    assert budget.level(KEY) == level
    assert budget.level(endpoint_key(ENDPOINT, "another")) == "json-schema"


def test_an_endpoint_that_refuses_every_form_is_asked_strictly_again() -> None:
    low = answered(AdviceBudget.empty(), "accepted", level="text")
    assert answered(low, "timeout", level="text", status=None).level(KEY) == "text"
    assert answered(low, "unreachable", level="text", status=404).level(KEY) == "json-schema"


def test_a_choice_is_remembered_with_its_incident_and_not_for_ever() -> None:
    budget = answered(AdviceBudget.empty(), "accepted", incident=FAULT, action="c" * 64)
    assert budget.choices[FAULT].action == "c" * 64
    assert answered(budget, "escalate", incident=fault(1)).choices == budget.choices

    late = NOW + timedelta(days=30)
    other = answered(budget, "accepted", late, incident=fault(1), action="d" * 64)
    assert set(other.choices) == {fault(1)}


def test_what_is_over_and_what_is_many_is_forgotten() -> None:
    budget = asked(AdviceBudget.empty())
    for number in range(6):
        budget = answered(budget, "accepted", NOW + timedelta(hours=number), model=f"m{number}")
    later = asked(budget, NOW + timedelta(days=7), fault(1))

    assert set(later.faults) == {fault(1)[:12]}
    assert set(budget.endpoints) == {endpoint_key(ENDPOINT, f"m{n}") for n in range(2, 6)}


def test_a_budget_is_what_its_body_says() -> None:
    budget = answered(asked(AdviceBudget.empty()), "timeout", level="text")
    assert AdviceBudget.from_body(budget.to_body()) == budget
    assert AdviceBudget.from_body(AdviceBudget.empty().to_body()) == AdviceBudget.empty()


@pytest.mark.parametrize(
    "change",
    [
        {"day": "today"},
        {"today": -1},
        {"today": True},
        {"faults": {"0123": [1, 1]}},
        {"faults": {"0123456789ab": [1]}},
        {"endpoints": {KEY: {"level": "none", "failures": 0, "last_at": 1}}},
        {"endpoints": {"x": {"level": "text", "failures": 0, "last_at": 1}}},
        {"choices": {"x": ["c" * 64, 1]}},
        {"choices": {FAULT: ["c", 1]}},
        {"more": 1},
    ],
    ids=str,
)
def test_a_garbled_budget_is_no_fresh_one(change: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        AdviceBudget.from_body(AdviceBudget.empty().to_body() | change)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"phase": "asked"},
        {"phase": "asked", "incident": "x"},
        {"phase": "answered", "result": "fine", "level": "text"},
        {"phase": "answered", "result": "accepted", "level": "best"},
        {"phase": "answered", "result": "accepted", "level": "text", "endpoint": ""},
    ],
    ids=str,
)
def test_an_entry_that_does_not_say_what_it_must_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        after_advice(AdviceBudget.empty(), body, NOW)
