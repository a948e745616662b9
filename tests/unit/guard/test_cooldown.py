from datetime import timedelta

import pytest

from reconciler.guard import cooldown
from reconciler.guard.memory import Memory
from tests.support.desired_states import make_action
from tests.support.guarding import NOW, attempt, begin, finish, make_context, numbers

ACTION = make_action()


def judged(memory: Memory | None, after_s: float) -> tuple[str, int | None]:
    at = NOW + timedelta(seconds=after_s)
    verdict = cooldown.judge(ACTION, make_context(memory=memory, now=at))
    return verdict.ruling, verdict.retry_after_s


def after_failures(count: int) -> Memory:
    memory = Memory.empty()
    for number in range(count):
        memory = attempt(memory, "failed", NOW - timedelta(minutes=count - 1 - number))
    return memory


def test_what_was_never_tried_is_free() -> None:
    assert judged(Memory.empty(), 0) == ("allow", None)


@pytest.mark.parametrize(
    ("failures", "wait_s"),
    [(1, 600), (2, 1200), (3, 2400), (6, 19200), (7, 21600), (8, 21600), (40, 21600)],
)
def test_the_wait_doubles_with_each_failure_up_to_six_hours(failures: int, wait_s: int) -> None:
    memory = after_failures(failures)
    assert judged(memory, 0) == ("defer", wait_s)
    assert judged(memory, wait_s - 0.25) == ("defer", 1)
    assert judged(memory, wait_s) == ("allow", None)


def test_a_verified_success_leaves_the_shortest_wait() -> None:
    memory = attempt(after_failures(5), "healed", NOW)
    assert judged(memory, 299) == ("defer", 1)
    assert judged(memory, 300) == ("allow", None)


def test_an_attempt_that_was_never_closed_counts_as_failed() -> None:
    memory = begin(Memory.empty(), NOW)
    assert judged(memory, 599) == ("defer", 1)
    assert judged(memory, 600) == ("allow", None)


def test_the_wait_begins_at_the_end_of_an_attempt() -> None:
    memory = finish(begin(Memory.empty(), NOW - timedelta(seconds=500)), "failed", NOW)
    assert judged(memory, 0) == ("defer", 600)


def test_numbers_come_from_the_desired_state() -> None:
    desired = numbers(cooldown={"base_s": 60, "cap_s": 300})
    context = make_context(memory=after_failures(1), now=NOW, desired=desired)
    assert cooldown.judge(ACTION, context).retry_after_s == 120


def test_no_memory_is_cooling_down_never_free() -> None:
    assert judged(None, 10**9) == ("defer", 6 * 3600)


def test_a_clock_that_went_back_frees_nothing() -> None:
    assert judged(after_failures(1), -365 * 86400) == ("defer", 600)


def test_the_wait_of_another_action_does_not_count() -> None:
    other = make_action(id="0" * 64)
    context = make_context(memory=after_failures(3))
    assert cooldown.judge(other, context).ruling == "allow"
