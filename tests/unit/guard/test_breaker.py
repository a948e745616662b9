"""A runbook that keeps failing is switched off, probed, and switched on again."""

from typing import Any

import pytest

from reconciler.evidence.bodies import verdict_body
from reconciler.guard import breaker, trips
from reconciler.guard.trips import REMEMBERED, open_s
from reconciler.model.guard_settings import BreakerSettings
from reconciler.model.own_words import own_words
from tests.support.desired_states import make_action
from tests.support.guarding import Story, make_context, numbers

HALF_HOUR, DAY = 1800, 86_400
OTHER = make_action(id="0" * 64, runbook="RB-DNS-001")


def after(*results: str, every_s: float = DAY, **changes: Any) -> Story:
    story = Story(numbers(**changes))
    for number, result in enumerate(results):
        story.wait(every_s if number else 0).act(result)
    return story


def said(story: Story) -> tuple[str, int | None]:
    verdict = story.ask(breaker.GUARD)
    return verdict.ruling, verdict.retry_after_s


def test_two_failures_in_a_row_are_not_three() -> None:
    assert said(after("failed", "failed")) == ("allow", None)
    assert said(after("failed", "failed", "healed", "failed", "failed")) == ("allow", None)


@pytest.mark.parametrize("bad", ["failed", "rolled_back", "interrupted"])
def test_three_failures_in_a_row_open_it_however_far_apart(bad: str) -> None:
    story = after("failed", "failed", bad)
    assert said(story) == ("defer", HALF_HOUR)
    assert said(story.wait(HALF_HOUR - 0.25)) == ("defer", 1)
    assert said(story.wait(0.25)) == ("allow", None)


def test_it_says_what_opened_it_and_for_how_long() -> None:
    story = after("failed", "failed", "failed")
    verdict = story.ask(breaker.GUARD)
    assert verdict.reason == "RB-TIME-001 is switched off for 1800 s after 3 failures in a row"
    assert verdict_body(verdict, own_words(story.desired))["reason"] == verdict.reason


@pytest.mark.parametrize("never_tried", ["denied", "deferred", "escalated", "not_applicable"])
def test_what_was_never_tried_is_no_run(never_tried: str) -> None:
    assert said(after("failed", "failed", never_tried)) == ("allow", None)
    assert said(after("failed", "failed", never_tried, "failed")) == ("defer", HALF_HOUR)


def test_half_of_four_runs_within_the_hour_open_it() -> None:
    story = after("failed", "healed", "failed", "healed", every_s=1000)
    assert said(story) == ("defer", HALF_HOUR)
    assert "2 of 4 runs failed within 3600 s" in story.ask(breaker.GUARD).reason


@pytest.mark.parametrize(
    ("results", "every_s"),
    [
        (["failed", "healed", "failed"], 1000),
        (["healed", "healed", "failed", "healed"], 1000),
        (["failed", "healed", "failed", "healed"], 1200),
    ],
    ids=["three runs", "a quarter bad", "the first an hour ago"],
)
def test_less_than_that_does_not(results: list[str], every_s: int) -> None:
    assert said(after(*results, every_s=every_s)) == ("allow", None)


def test_each_trip_doubles_up_to_eight_hours() -> None:
    story, waits = after("failed", "failed", "failed"), []
    for _number in range(7):
        _ruling, wait_s = said(story)
        assert wait_s is not None
        waits.append(wait_s)
        story.wait(wait_s).act("failed")
    assert waits == [1800, 3600, 7200, 14400, 28800, 28800, 28800]
    assert "the probe after trip 7 failed" in story.ask(breaker.GUARD).reason


def test_one_probe_at_a_time() -> None:
    story = after("failed", "failed", "failed").wait(HALF_HOUR)
    assert story.ask(breaker.GUARD).reason == "probe 1 of 2 after 3 failures in a row"
    story.begin()
    verdict = story.ask(breaker.GUARD, make_action(id="0" * 64))
    assert verdict.ruling == "defer"
    assert verdict.reason == "a probe of RB-TIME-001 has no outcome yet"
    assert verdict.retry_after_s is None
    assert story.ask(breaker.GUARD, OTHER).ruling == "allow"


def test_two_that_heal_close_it_and_everything_is_forgotten() -> None:
    story = after("failed", "failed", "failed").wait(HALF_HOUR).act("healed")
    assert story.ask(breaker.GUARD).reason.startswith("probe 2 of 2")
    story.act("healed")
    assert story.ask(breaker.GUARD).reason == ""
    story.act("failed").act("failed")
    assert said(story) == ("allow", None)
    assert said(story.act("failed")) == ("defer", HALF_HOUR)


def test_one_that_heals_and_one_that_fails_open_it_for_longer() -> None:
    story = after("failed", "failed", "failed").wait(HALF_HOUR).act("healed").act("failed")
    assert said(story) == ("defer", 2 * HALF_HOUR)


def test_what_is_forgotten_closes_nothing() -> None:
    """Every second probe fails: more runs than are remembered, and none of them consecutive."""
    story = after("failed", "failed", "failed")
    for number in range(2 * REMEMBERED):
        wait_s = said(story)[1]
        story.wait(wait_s or 0).act("failed" if number % 2 else "healed")
    assert len(story.memory.breakers["clinic|RB-TIME-001"]) == REMEMBERED
    assert said(story) == ("defer", 8 * 3600)


def test_what_began_before_it_opened_and_heals_after_closes_nothing() -> None:
    """Two hosts run it at once: the other's success comes late."""
    late = make_action(id="0" * 64, target="clinic/server")
    story = after("failed", "failed").begin(late).wait(60).act("failed").wait(60)
    story.end("healed", late)
    assert said(story) == ("defer", HALF_HOUR - 60)


def test_an_intent_that_was_never_closed_is_a_failure_when_the_next_begins() -> None:
    story = Story()
    for _number in range(4):
        story.begin().wait(DAY)
    assert said(story) == ("defer", None), "the fourth may still end, as a probe"
    assert [run.bad for run in story.memory.breakers["clinic|RB-TIME-001"]] == [True] * 3


def test_another_runbook_and_another_client_have_their_own() -> None:
    story = after("failed", "failed", "failed")
    assert story.ask(breaker.GUARD, OTHER).ruling == "allow"
    assert set(story.memory.breakers) == {"clinic|RB-TIME-001"}


def test_numbers_come_from_the_desired_state() -> None:
    assert said(after("failed", breaker={"consecutive": 1, "open_s": 60})) == ("defer", 60)
    settings = BreakerSettings(open_s=100, cap_s=150)
    assert [open_s(count, settings) for count in (1, 2, 3, 10_000)] == [100, 150, 150, 150]


def test_a_clock_that_went_back_frees_nothing() -> None:
    assert said(after("failed", "failed", "failed").wait(-365 * DAY)) == ("defer", HALF_HOUR)
    story = after("failed", "failed").wait(-365 * DAY).act("failed")
    runs = story.memory.breakers["clinic|RB-TIME-001"]
    assert runs[-1].at == runs[-2].at


def test_no_memory_is_cooling_down() -> None:
    verdict = breaker.judge(make_action(), make_context(memory=None))
    assert (verdict.ruling, verdict.retry_after_s) == ("defer", 6 * 3600)


def test_nothing_is_a_closed_breaker() -> None:
    assert trips.switch((), BreakerSettings()).trips == 0
