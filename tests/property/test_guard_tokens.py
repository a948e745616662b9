"""Buckets, in isolation: how much may begin in any stretch of time, and that it may again."""

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from reconciler.guard import bucket, tokens
from reconciler.guard.charging import charge
from reconciler.model.guard_settings import TokenSettings
from tests.support.desired_states import make_desired, make_runbook, pin
from tests.support.guarding import NOW, Story, numbers

SIZES = st.integers(1, 6)
REFILLS = st.integers(10, 4000)
WAITS = st.lists(st.integers(-900, 3000), min_size=1, max_size=60)


def admitted(story: Story, waits: list[int]) -> list[datetime]:
    """When actions began that asked after so many seconds each.

    The clock may go back; then no time has passed since the last one that began.
    """
    began = list[datetime]()
    for wait_s in waits:
        story.wait(wait_s)
        if story.ask(tokens.GUARD).ruling == "allow":
            story.act("failed")
            began.append(max([story.now, *began[-1:]]))
    return began


def within_bound(began: list[datetime], size: int, refill_s: int) -> bool:
    """Over every window, and not only those that somebody looked at."""
    return all(
        last - first + 1 <= size + (began[last] - began[first]) // timedelta(seconds=refill_s)
        for first in range(len(began))
        for last in range(first, len(began))
    )


@given(SIZES, REFILLS, WAITS)
def test_no_window_holds_more_than_the_hosts_bucket_allows(
    size: int, refill_s: int, waits: list[int]
) -> None:
    story = Story(numbers(tokens={"host": size, "host_refill_s": refill_s, "client": 1000}))
    assert within_bound(admitted(story, waits), size, refill_s)


@given(SIZES, REFILLS, WAITS)
def test_no_window_holds_more_than_the_clients_bucket_allows(
    size: int, refill_s: int, waits: list[int]
) -> None:
    story = Story(numbers(tokens={"client": size, "client_refill_s": refill_s, "host": 100}))
    assert within_bound(admitted(story, waits), size, refill_s)


@given(st.integers(60, 7200), WAITS)
def test_no_window_holds_two_that_people_notice(refill_s: int, waits: list[int]) -> None:
    numbers_ = {"host": 100, "client": 1000, "disruptive_refill_s": refill_s}
    desired = make_desired(
        runbooks=[pin(make_runbook(disruptive=True))], guards=numbers(tokens=numbers_).guards
    )
    assert within_bound(admitted(Story(desired), waits), 1, refill_s)


@given(SIZES, REFILLS, WAITS)
def test_whoever_waits_as_long_as_asked_may_begin_and_not_a_second_before(
    size: int, refill_s: int, waits: list[int]
) -> None:
    story = Story(numbers(tokens={"host": size, "host_refill_s": refill_s}))
    admitted(story, [abs(wait_s) for wait_s in waits])
    for _number in range(size):
        if story.ask(tokens.GUARD).ruling == "allow":
            story.act("failed")
    wait_s = story.ask(tokens.GUARD).retry_after_s
    assert wait_s is not None
    assert wait_s <= max(refill_s, TokenSettings().client_refill_s)
    assert story.wait(wait_s - 1).ask(tokens.GUARD).ruling == "defer"
    assert story.wait(1).ask(tokens.GUARD).ruling == "allow"


@given(WAITS)
def test_every_action_takes_one_token_of_each_bucket(waits: list[int]) -> None:
    story, limits = Story(), TokenSettings()
    sizes = {"host:clinic/frontdesk": limits.host, "client:clinic": limits.client}
    for wait_s in waits:
        story.wait(abs(wait_s))
        if story.ask(tokens.GUARD).ruling != "allow":
            continue
        taken = charge(story.action, story.context).refill_s
        assert set(taken) == set(sizes)
        before = {
            name: bucket.whole(story.memory.tokens.get(name), sizes[name], taken[name], story.now)
            for name in sizes
        }
        story.act("failed")
        for name, had in before.items():
            left = bucket.whole(story.memory.tokens[name], sizes[name], taken[name], story.now)
            assert had - 1 <= left < had + (had == 0)


@given(SIZES, REFILLS, st.integers(1, 30))
def test_after_so_long_the_bucket_is_full(size: int, refill_s: int, spent: int) -> None:
    taken = None
    for _number in range(spent):
        taken = bucket.charged(taken, refill_s, NOW)
    later = NOW + timedelta(seconds=refill_s) * spent
    assert bucket.whole(taken, size, refill_s, later) == size
    assert bucket.wait(taken, size, refill_s, later) == timedelta(0)
