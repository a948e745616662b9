"""Flap damping, in isolation: it stops what comes back too often, and always lets go."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.guard import flap, recurrence
from reconciler.guard.recurrence import Flap, damping, decayed
from reconciler.model.guard_settings import FlapSettings
from tests.support.guarding import NOW, Story

DEFAULTS = FlapSettings()
BY_SCORE = FlapSettings(most_recurrences=20, within_days=1)
GAPS = st.lists(st.integers(0, 3 * 86_400), max_size=40)
LONGEST_S = 3 * DEFAULTS.half_life_s


def known(gaps: list[int]) -> Flap:
    at, back = NOW, []
    for gap_s in gaps:
        at += timedelta(seconds=gap_s)
        back.append(at)
    return Flap(at=at, held=False, recurred=tuple(back[-recurrence.REMEMBERED :]))


@given(GAPS)
def test_it_always_lets_go_within_three_half_lives(gaps: list[int]) -> None:
    flaps = known(gaps)
    wait_s = recurrence.release_s(flaps, DEFAULTS, flaps.at)
    assert wait_s <= LONGEST_S
    later = flaps.at + timedelta(seconds=LONGEST_S)
    assert not damping(flaps, DEFAULTS, later).suppressed


@given(GAPS)
def test_the_promised_second_is_exact(gaps: list[int]) -> None:
    flaps = known(gaps)
    wait_s = recurrence.release_s(flaps, DEFAULTS, flaps.at)
    assert not damping(flaps, DEFAULTS, flaps.at + timedelta(seconds=wait_s)).suppressed
    if wait_s:
        before = flaps.at + timedelta(seconds=wait_s - 1)
        assert damping(flaps, DEFAULTS, before).suppressed


@given(GAPS)
def test_the_score_is_what_the_numbers_say(gaps: list[int]) -> None:
    """Against a second reckoning, in one step each and without whole numbers."""
    flaps, score, suppressed, last = known(gaps), 0.0, False, NOW
    for at in flaps.recurred:
        score *= 2.0 ** (-(at - last).total_seconds() / DEFAULTS.half_life_s)
        suppressed = suppressed and score > DEFAULTS.reuse_at
        score, last = min(score + DEFAULTS.penalty, DEFAULTS.cap), at
        suppressed = suppressed or score >= DEFAULTS.suppress_at
    found = damping(flaps, BY_SCORE, flaps.at)
    assert abs(found.score - score) <= len(flaps.recurred) + 1
    near = min(abs(score - DEFAULTS.suppress_at), abs(score - DEFAULTS.reuse_at))
    if near > len(flaps.recurred) + 1 and len(gaps) < 3 * 3:
        assert found.suppressed == suppressed


@given(st.integers(0, 6000), st.integers(0, 10 * 86_400), st.integers(0, 10 * 86_400))
def test_a_score_only_falls_and_halves_in_time(score: int, early: int, later: int) -> None:
    half_life = DEFAULTS.half_life_s
    first = decayed(score, half_life, timedelta(seconds=early))
    second = decayed(score, half_life, timedelta(seconds=early + later))
    assert 0 <= second <= first <= score
    assert decayed(score, half_life, timedelta(seconds=half_life)) == score // 2


@settings(max_examples=10, deadline=None)
@given(st.integers(900, 2 * 3600))
def test_whoever_undoes_every_fix_is_damped_and_never_faster_than_this(every_s: int) -> None:
    """Over a week, whatever the pace: four fixes at most, and then ten hours at least."""
    story, fixes = Story(), 0
    end = NOW + timedelta(days=7)
    while story.now < end:
        verdict = story.ask(flap.GUARD)
        if verdict.ruling == "allow":
            story.act("healed").wait(every_s)
            fixes += 1
            continue
        back = [{"guard": "flap", "rules": ["time"]}]
        story.report(not_done=back).wait(min(verdict.retry_after_s or 0, 3600))
    assert 10 < fixes <= 4 * 7 * 24 // 10
    assert damping(story.memory.flaps["time"], DEFAULTS, story.now).recurrences >= 3


@given(GAPS, st.integers(0, 86_400))
def test_what_was_turned_away_counts_once(gaps: list[int], more_s: int) -> None:
    story = Story().act("healed")
    for gap_s in [*gaps, more_s]:
        story.wait(gap_s).report(not_done=[{"guard": "flap", "rules": ["time"]}])
    assert len(story.memory.flaps["time"].recurred) == 1
