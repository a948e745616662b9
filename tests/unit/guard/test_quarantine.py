"""A host that could not be brought back is left alone until a person has looked."""

from datetime import timedelta

import pytest

from reconciler.evidence.bodies import verdict_body
from reconciler.guard import quarantine
from reconciler.guard.calendar import Calendar
from reconciler.model.acknowledgement import Acknowledgement
from reconciler.model.own_words import own_words
from tests.support.desired_states import make_action, make_desired
from tests.support.guarding import NOW, Story, make_context, transition

CLOSED = transition("quarantined", **{"from": "rolling_back"})
OTHER = "e" * 12 + "-2"


def acknowledged(
    fingerprint: str = "f" * 64, days: int = 0, looked_s: int | None = 0
) -> Acknowledgement:
    return Acknowledgement(
        id="taken",
        incident=fingerprint,
        by="alice@msp.example",
        until=NOW.date() + timedelta(days=days),
        looked_at=None if looked_s is None else NOW + timedelta(seconds=looked_s),
    )


def ruling(story: Story) -> str:
    return story.ask(quarantine.GUARD).ruling


def test_nothing_begins_there_and_it_says_which_incident_closed_it() -> None:
    story = Story().tell(CLOSED)
    verdict = story.ask(quarantine.GUARD)
    assert (verdict.ruling, verdict.retry_after_s) == ("defer", None)
    assert verdict.reason == (f"this host is closed until a person has looked at time ({'f' * 64})")
    assert verdict_body(verdict, own_words(story.desired))["reason"] == verdict.reason


def test_escalating_it_opens_nothing() -> None:
    assert ruling(Story().tell(CLOSED).tell(transition("escalated"))) == "defer"
    assert ruling(Story().tell(CLOSED).wait(365 * 86_400)) == "defer"


def test_it_is_over_when_its_incident_is() -> None:
    assert ruling(Story().tell(CLOSED).tell(transition("resolved_itself"))) == "allow"
    assert ruling(Story().tell(CLOSED, transition("resolved_itself", id=OTHER))) == "defer"


def test_every_incident_counts() -> None:
    story = Story().tell(CLOSED, transition("quarantined", id=OTHER, fingerprint="e" * 64))
    story.tell(transition("resolved_itself"))
    assert "e" * 64 in story.ask(quarantine.GUARD).reason
    assert "f" * 64 not in story.ask(quarantine.GUARD).reason


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (acknowledged(), "allow"),
        (acknowledged(days=3), "allow"),
        (acknowledged(days=-1), "defer"),
        (acknowledged("e" * 64), "defer"),
        (acknowledged(looked_s=None), "defer"),
        (acknowledged(looked_s=-1), "defer"),
        (acknowledged(looked_s=1), "defer"),
    ],
    ids=["today", "later", "over", "another", "no-look", "look-before", "look-to-come"],
)
def test_a_person_who_takes_it_over_opens_it(known: Acknowledgement, expected: str) -> None:
    story = Story(make_desired(acknowledgements=(known,))).tell(CLOSED)
    assert ruling(story) == expected


def test_the_day_is_the_clients() -> None:
    story = Story(make_desired(acknowledgements=(acknowledged(),))).tell(CLOSED)
    tomorrow = Calendar(day=NOW.date() + timedelta(days=1), opens_at=None, thaws_at=None)
    context = make_context(desired=story.desired, memory=story.memory, calendar=tomorrow)
    assert quarantine.judge(make_action(), context).ruling == "defer"


def test_no_memory_is_cooling_down() -> None:
    assert quarantine.judge(make_action(), make_context(memory=None)).ruling == "defer"
