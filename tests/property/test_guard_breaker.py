"""The breaker, in isolation: it opens, probes once, opens for longer, and closes."""

from hypothesis import given
from hypothesis import strategies as st

from reconciler.guard import breaker, trips
from reconciler.model.guard_settings import BreakerSettings
from tests.support.desired_states import make_action
from tests.support.guarding import Story, numbers

SETTINGS = BreakerSettings()
RESULTS = st.sampled_from(["healed", "failed", "rolled_back", "interrupted"])
STEPS = st.lists(st.tuples(st.integers(0, 40_000), RESULTS), max_size=60)
KEY = "clinic|RB-TIME-001"


def state(story: Story) -> trips.Switch:
    return trips.switch(story.memory.breakers.get(KEY, ()), SETTINGS)


@given(st.lists(st.integers(0, 10 * 86_400), min_size=3, max_size=3))
def test_so_many_failures_in_a_row_open_it_at_any_pace(waits: list[int]) -> None:
    """The flaw of the prototype: it counted them within the hour only, and never saw slow ones."""
    story = Story()
    for wait_s in waits:
        assert story.ask(breaker.GUARD).ruling == "allow"
        story.act("failed").wait(wait_s)
    opened = state(story)
    assert (opened.trips, opened.failures) == (1, 3)


@given(STEPS)
def test_open_is_open_and_then_one_probe_runs(steps: list[tuple[int, str]]) -> None:
    story = Story()
    for wait_s, result in steps:
        story.wait(wait_s)
        before = state(story)
        verdict = story.ask(breaker.GUARD)
        if verdict.ruling == "defer":
            assert before.opened_at is not None
            assert verdict.retry_after_s is not None
            lasts = trips.open_s(before.trips, SETTINGS)
            since = (story.now - before.opened_at).total_seconds()
            assert 0 < verdict.retry_after_s <= lasts - since + 1
            continue
        story.begin()
        if before.trips:
            other = make_action(id="0" * 64)
            assert story.ask(breaker.GUARD, other).ruling == "defer", "a second probe"
        story.end(result)
        after = state(story)
        if before.trips and result != "healed":
            assert after.trips == before.trips + 1
            assert after.opened_at == story.now
        if before.trips and result == "healed":
            closes = before.successes + 1 == SETTINGS.close_after
            assert after == (trips.Switch() if closes else after)
            assert after.trips == (0 if closes else before.trips)


@given(st.integers(1, 100), st.integers(60, 86_400), st.integers(60, 7 * 86_400))
def test_it_stays_open_longer_each_time_up_to_its_cap(count: int, open_s: int, cap_s: int) -> None:
    settings = BreakerSettings(open_s=open_s, cap_s=cap_s)
    now, then = trips.open_s(count, settings), trips.open_s(count + 1, settings)
    assert now <= then <= settings.cap_s
    assert then == min(2 * now, cap_s)
    assert trips.open_s(1, settings) == min(open_s, cap_s)


@given(STEPS)
def test_whoever_waits_as_long_as_asked_may_probe_and_not_a_second_before(
    steps: list[tuple[int, str]],
) -> None:
    story = Story()
    for wait_s, result in [*steps, (0, "failed"), (0, "failed"), (0, "failed")]:
        story.wait(wait_s)
        if story.ask(breaker.GUARD).ruling == "allow":
            story.act(result)
    for _number in range(SETTINGS.consecutive):
        if story.ask(breaker.GUARD).ruling == "allow":
            story.act("failed")
    left = story.ask(breaker.GUARD).retry_after_s
    assert left is not None
    assert story.wait(left - 1).ask(breaker.GUARD).ruling == "defer"
    assert story.wait(1).ask(breaker.GUARD).ruling == "allow"


@given(STEPS)
def test_enough_that_heal_always_close_it(steps: list[tuple[int, str]]) -> None:
    story = Story()
    for wait_s, result in steps:
        story.wait(wait_s)
        if story.ask(breaker.GUARD).ruling == "allow":
            story.act(result)
    for _number in range(SETTINGS.close_after):
        story.wait(SETTINGS.cap_s)
        assert story.ask(breaker.GUARD).ruling == "allow"
        story.act("healed")
    assert state(story).trips == 0


@given(
    st.integers(2, 6),
    st.integers(10, 100),
    st.lists(st.tuples(st.integers(0, 2000), st.booleans()), max_size=20),
)
def test_it_opens_exactly_when_the_numbers_say(
    runs: int, bad_percent: int, history: list[tuple[int, bool]]
) -> None:
    """Against a second reckoning of its own, from the whole history."""
    chosen = {"runs": runs, "bad_percent": bad_percent, "consecutive": 20}
    story, seen = Story(numbers(breaker=chosen)), list[tuple[float, bool]]()
    clock = 0.0
    for wait_s, bad in history:
        clock += wait_s
        story.wait(wait_s).act("failed" if bad else "healed")
        seen.append((clock, bad))
        recent = [was_bad for at, was_bad in seen if clock - at < SETTINGS.within_s]
        expected = len(recent) >= runs and 100 * sum(recent) >= bad_percent * len(recent)
        assert (story.ask(breaker.GUARD).ruling == "defer") == expected
        if expected:
            return
