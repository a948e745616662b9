import json
from datetime import UTC, datetime, timedelta

import pytest

from reconciler.errors import LedgerDamaged
from reconciler.evidence import canonical
from reconciler.guard.memory import FORGET, Accepted, Memory, accept, fold
from tests.support.guarding import ACTION, NOW, attempt, begin, finish, intent_body

A, B = "a" * 40, "b" * 40
EMPTY = Memory.empty()


def failures(memory: Memory) -> int:
    return memory.attempts[ACTION].failures


def test_an_intent_is_an_attempt_before_anything_was_done() -> None:
    remembered = begin(EMPTY, NOW).attempts[ACTION]
    assert (remembered.open, remembered.last_at, remembered.failures) == (True, NOW, 0)


@pytest.mark.parametrize("result", ["failed", "rolled_back", "interrupted"])
def test_failures_add_up_until_a_verified_success(result: str) -> None:
    memory = attempt(attempt(EMPTY, result, NOW), result, NOW + timedelta(hours=1))
    assert failures(memory) == 2
    healed = attempt(memory, "healed", NOW + timedelta(hours=2))
    assert failures(healed) == 0
    assert healed.attempts[ACTION].last_success_at == NOW + timedelta(hours=2)


@pytest.mark.parametrize("result", ["deferred", "denied", "escalated", "not_applicable"])
def test_what_was_not_tried_is_no_failure(result: str) -> None:
    assert failures(attempt(EMPTY, result, NOW)) == 0


def test_a_quiet_day_forgets_failures() -> None:
    memory = attempt(EMPTY, "failed", NOW)
    almost = attempt(memory, "failed", NOW + timedelta(hours=23, minutes=59))
    later = attempt(memory, "failed", NOW + timedelta(hours=24))
    assert (failures(almost), failures(later)) == (2, 1)


def test_an_intent_that_nobody_closed_counts_as_a_failure_when_it_is_tried_again() -> None:
    memory = begin(begin(EMPTY, NOW), NOW + timedelta(days=3))
    assert failures(memory) == 1


def test_time_never_goes_back() -> None:
    memory = attempt(attempt(EMPTY, "failed", NOW), "failed", NOW - timedelta(days=365))
    assert memory.attempts[ACTION].last_at == NOW


def test_a_fix_that_does_not_hold_is_remembered() -> None:
    memory = EMPTY
    for hour in range(12):
        memory = attempt(memory, "healed", NOW + timedelta(hours=hour))
    recurred = memory.attempts[ACTION].recurred_at
    assert recurred == tuple(NOW + timedelta(hours=hour) for hour in range(4, 12))


def test_attempts_that_are_long_over_are_forgotten_but_never_an_open_one() -> None:
    memory = finish(begin(EMPTY, NOW, "1" * 64), "failed", NOW, "1" * 64)
    memory = begin(memory, NOW, "2" * 64)
    later = begin(memory, NOW + FORGET, "3" * 64)
    assert set(later.attempts) == {"2" * 64, "3" * 64}


def test_acceptance_only_goes_forward() -> None:
    memory = accept(accept(EMPTY, A, 1), B, 2)
    assert memory.accepted == Accepted(B, 2)
    assert accept(memory, B, 2) == memory
    for commit, counter in [(A, 1), (A, 2), (B, 1), (A, 0)]:
        with pytest.raises(LedgerDamaged, match="goes back"):
            accept(memory, commit, counter)


def test_entries_carry_what_was_accepted() -> None:
    desired = {"commit": A, "counter": 1}
    from_run = fold(EMPTY, "run", {"intent": {"accepted": desired}}, NOW)
    from_intent = fold(EMPTY, "intent", intent_body() | {"desired": desired}, NOW)
    assert from_run.accepted == from_intent.accepted == Accepted(A, 1)
    assert fold(EMPTY, "run", {"intent": {"accepted": None}}, NOW) == EMPTY


def test_refusals_and_unknown_kinds() -> None:
    refused = fold(EMPTY, "refusal", {"reason": "unsigned", "commit": None}, NOW)
    assert refused.refusal == {"reason": "unsigned", "commit": None}
    assert refused == EMPTY.with_refusal("unsigned", None)
    assert fold(refused, "checkpoint", {"anything": 1}, NOW) == refused


def test_a_hold_of_the_state_in_force_is_no_refusal_of_the_newest() -> None:
    refused = fold(Memory.empty(), "refusal", {"reason": "unsigned", "commit": "b" * 40}, NOW)
    body = {"reason": "stale", "commit": "a" * 40, "held": True}

    assert fold(refused, "refusal", body, NOW) == refused


def test_a_run_under_the_newest_state_ends_a_refusal_and_a_refused_run_does_not() -> None:
    refused = EMPTY.with_refusal("unsigned", B)
    still = {"intent": {"accepted": None, "refused": {"reason": "unsigned", "commit": B}}}
    assert fold(refused, "run", still, NOW) == refused
    assert fold(refused, "run", {"intent": {"accepted": None, "refused": None}}, NOW) == EMPTY


def test_memory_survives_evidence_byte_for_byte() -> None:
    at = datetime(2026, 3, 2, 9, 0, 0, 123456, tzinfo=UTC)
    memory = accept(attempt(attempt(EMPTY, "healed", at), "failed", at), A, 3)
    memory = begin(memory, at, "0" * 64).with_refusal("stale", B)
    body = json.loads(canonical.encode(memory.to_body()))
    assert Memory.from_body(body) == memory
    assert Memory.from_body(EMPTY.to_body()) == EMPTY


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("intent", {}),
        ("intent", {"action": {}}),
        ("intent", {"action": {"id": "short"}}),
        ("intent", intent_body() | {"desired": {"commit": A}}),
        ("outcome", {"action": ACTION}),
        ("outcome", {"action": ACTION, "result": "fine"}),
        ("outcome", {"action": "0" * 64, "result": "healed"}),
        ("run", {}),
        ("run", {"intent": {"accepted": {"commit": A, "counter": -1}}}),
        ("run", {"intent": {"accepted": {"commit": A, "counter": True}}}),
        ("refusal", {"commit": A}),
    ],
)
def test_an_entry_that_does_not_say_what_it_must_is_damage(
    kind: str, body: dict[str, object]
) -> None:
    with pytest.raises(LedgerDamaged):
        fold(begin(EMPTY, NOW), kind, body, NOW)


GOOD = begin(EMPTY, NOW).to_body()
ATTEMPT = GOOD["attempts"][ACTION]


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {},
        GOOD | {"more": 1},
        GOOD | {"attempts": []},
        GOOD | {"attempts": {"short": ATTEMPT}},
        GOOD | {"attempts": {ACTION: {}}},
        GOOD | {"attempts": {ACTION: ATTEMPT | {"failures": -1}}},
        GOOD | {"attempts": {ACTION: ATTEMPT | {"failures": "0"}}},
        GOOD | {"attempts": {ACTION: ATTEMPT | {"open": 0}}},
        GOOD | {"attempts": {ACTION: ATTEMPT | {"last_at": None}}},
        GOOD | {"attempts": {ACTION: ATTEMPT | {"last_at": 10**18}}},
        GOOD | {"attempts": {ACTION: ATTEMPT | {"recurred_at": {}}}},
        GOOD | {"accepted": {"commit": "", "counter": 1}},
        GOOD | {"refusal": {"reason": "x"}},
    ],
)
def test_garbled_memory_is_damage_never_a_fresh_start(body: object) -> None:
    with pytest.raises(LedgerDamaged, match="garbled"):
        Memory.from_body(body)
