"""A limit that nobody can show to be kept is broken; what is not promised is never held."""

from datetime import UTC, datetime, timedelta

import pytest

from reconciler.engine.trusted.freshness import is_stale, measure, stale_hold, tainted_hold, words
from reconciler.engine.trusted.standing import Reading, Sight, Standing
from reconciler.model.run import Freshness
from reconciler.model.scrub import scrub

START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = 3600


def standing(seen_s: int = 0) -> Standing:
    sight = Sight(7, "c" * 40, START, "d" * 64, "ci")
    return Standing().at(Reading(START, 0, "one")).seeing(sight).at(Reading(START, seen_s, "one"))


@pytest.mark.parametrize(
    ("hours", "seen_s", "stale"),
    [
        (26, 0, False),
        (26.01, 0, True),
        (0, 26 * HOUR, False),
        (0, 26 * HOUR + 1, True),  # the wall clock stood still
        (-2, 27 * HOUR, True),  # it was set back
    ],
)
def test_the_limit_is_held_against_the_larger_of_both_times(
    hours: float, seen_s: int, stale: bool
) -> None:
    now = START + timedelta(hours=hours)
    known = standing(seen_s)
    found = measure(known, 26 * HOUR, now)
    hold = stale_hold(found, known, now)

    assert is_stale(found) is stale
    assert (hold is not None) is stale
    if hold is not None:
        assert (hold.reason, hold.since) == ("stale", now)
        assert "reconciler attest heartbeat" in hold.hint


def test_no_heartbeat_ever_breaks_a_limit_and_nothing_breaks_none() -> None:
    now = START + timedelta(days=9)
    never, unlimited = measure(Standing(), 26 * HOUR, now), measure(standing(), None, now)

    assert never == Freshness(None, 26 * HOUR, None, None)
    assert is_stale(never)
    assert not is_stale(unlimited)
    hold = stale_hold(never, Standing(), now)
    assert hold is not None
    assert hold.reason == "heartbeat-missing"
    assert stale_hold(unlimited, standing(), now) is None


def test_a_hold_goes_on_since_it_began() -> None:
    now = START + timedelta(days=2)
    known = standing()
    again = Standing(sight=known.sight, held={"stale": START + timedelta(days=1)})

    hold = stale_hold(measure(again, 26 * HOUR, now), again, now)

    assert hold is not None
    assert hold.since == START + timedelta(days=1)


def test_content_of_a_revoked_key_names_its_paths() -> None:
    paths = [f"runbooks/RB-X-00{number}.yaml" for number in range(5)]

    hold = tainted_hold(paths, Standing(), START)

    assert hold is not None
    assert hold.reason == "revoked-content"
    assert hold.paths == tuple(paths)
    assert "RB-X-002.yaml and 2 more" in hold.message
    assert tainted_hold((), Standing(), START) is None


def test_evidence_may_say_it_in_these_words() -> None:
    now = START + timedelta(days=9)
    for known in (standing(), Standing()):
        hold = stale_hold(measure(known, 26 * HOUR, now), known, now)
        assert hold is not None
        assert scrub(hold.message) == hold.message


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(59, "0 min"), (7199, "119 min"), (7200, "2 h"), (172_799, "47 h"), (172_800, "2 days")],
)
def test_times_are_said_as_people_say_them(seconds: int, said: str) -> None:
    assert words(seconds) == said
