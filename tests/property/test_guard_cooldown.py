from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from reconciler.guard import cooldown
from reconciler.guard.attempt import QUIET
from reconciler.guard.gate import GUARDS, admit
from reconciler.guard.memory import Memory, fold
from reconciler.model.guard_settings import CooldownSettings
from tests.support.desired_states import make_action, make_desired, make_rule
from tests.support.guarding import ACTION, NOW, begin, finish, make_context

NUMBERS = CooldownSettings()
RESULTS = st.sampled_from(["healed", "failed", "rolled_back", "interrupted"])
WAITS = st.integers(-3600, 2 * 86400)
STORIES = st.lists(st.tuples(WAITS, RESULTS | st.none()), max_size=30)


@given(STORIES)
def test_between_two_attempts_lies_at_least_what_the_failures_before_ask_for(
    story: list[tuple[int, str | None]],
) -> None:
    """A run asks at any time, with any clock; ``None`` is a crash before the outcome."""
    memory, now = Memory.empty(), NOW
    for wait_s, result in story:
        now += timedelta(seconds=wait_s)
        before = memory.attempts.get(ACTION)
        verdict = cooldown.judge(make_action(), make_context(memory=memory, now=now))
        if verdict.ruling != "allow":
            assert verdict.retry_after_s is not None
            assert 0 < verdict.retry_after_s <= NUMBERS.cap_s
            continue
        if before is not None:
            bound = cooldown.bound_s(before.failures + before.open, NUMBERS)
            assert now - before.last_at >= timedelta(seconds=bound)
        memory = begin(memory, now)
        if result is not None:
            memory = finish(memory, result, now)


@given(st.integers(0, 200), st.integers(0, 200))
def test_the_bound_grows_with_failures_within_its_limits(few: int, more: int) -> None:
    low, high = cooldown.bound_s(few, NUMBERS), cooldown.bound_s(few + more, NUMBERS)
    assert NUMBERS.base_s <= low <= high <= NUMBERS.cap_s


@given(st.integers(0, 200))
def test_whoever_waits_as_long_as_asked_is_free(failures: int) -> None:
    memory = begin(Memory.empty(), NOW)
    attempt = replace(memory.attempts[ACTION], failures=failures, open=False)
    memory = replace(memory, attempts={ACTION: attempt})
    now, asked = NOW, 0
    while asked < 3:
        verdict = cooldown.judge(make_action(), make_context(memory=memory, now=now))
        if verdict.ruling == "allow":
            break
        now += timedelta(seconds=verdict.retry_after_s or 0)
        asked += 1
    assert asked == 1


def test_a_quiet_day_outlasts_every_cooldown() -> None:
    assert timedelta(seconds=NUMBERS.cap_s) < QUIET


@given(STORIES)
def test_judging_changes_nothing(story: list[tuple[int, str | None]]) -> None:
    memory, now = Memory.empty(), NOW
    for wait_s, result in story:
        now += timedelta(seconds=wait_s)
        body = memory.to_body()
        context = make_context(
            memory=memory, now=now, desired=make_desired([make_rule(enforce=result != "failed")])
        )
        first, second = admit(make_action(), context), admit(make_action(), context)
        assert first == second
        assert memory.to_body() == body
        if len(first) == len(GUARDS) and first[-1].ruling == "allow":
            memory = begin(memory, now)
            memory = finish(memory, result, now) if result else memory


@given(STORIES)
def test_memory_survives_its_body_at_every_point(story: list[tuple[int, str | None]]) -> None:
    memory, now = Memory.empty(), NOW
    for counter, (wait_s, result) in enumerate(story, 1):
        now += timedelta(seconds=wait_s)
        memory = begin(memory, now)
        memory = finish(memory, result, now) if result else memory
        accepted = {"commit": f"{counter:040x}", "counter": counter}
        memory = fold(memory, "run", {"intent": {"accepted": accepted}}, now)
        assert Memory.from_body(memory.to_body()) == memory
