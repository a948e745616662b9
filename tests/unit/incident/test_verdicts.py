"""Where the plan and the guards put an incident, and what they leave where it is."""

from datetime import UTC, datetime, timedelta

import pytest

from reconciler.incident import look, verdicts
from reconciler.incident.register import Register
from reconciler.incident.story import Story
from reconciler.model.guard_settings import GuardSettings
from reconciler.model.incident import State
from reconciler.model.verdict import Ruling, Verdict
from tests.support.desired_states import TARGET, make_action
from tests.support.incidents import make_sighting

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
NUMBERS = GuardSettings()
APPROVED = Verdict("allow", "approval")


def confirmed() -> Story:
    story = Story(Register(target=TARGET))
    for _twice in range(2):
        look.look(story, [make_sighting()], NUMBERS, AT)
    return story


def judged(story: Story, *spoken: Verdict, never: bool = False) -> tuple[State, str]:
    verdicts.turned_away(story, make_action(), spoken, NUMBERS, AT, never=never)
    one = story.register.open["time"]
    return one.state, one.reason


def wait(guard: str, seconds: int | None = 60) -> Verdict:
    return Verdict("defer", guard, "x", seconds)


def deny(guard: str) -> Verdict:
    return Verdict("deny", guard, "x")


@pytest.mark.parametrize(
    ("ruling", "guard", "standing"),
    [
        ("defer", "cooldown", ("waiting", "cooldown")),
        ("defer", "tokens", ("waiting", "tokens")),
        ("defer", "approval", ("waiting", "approval")),
        ("defer", "stop", ("waiting", "stop")),
        ("defer", "flap", ("escalated", "does-not-hold")),
        ("deny", "flap", ("escalated", "does-not-hold")),
        ("deny", "kill_switch", ("waiting", "kill_switch")),
        ("deny", "mode", ("waiting", "mode")),
        ("deny", "exception", ("waiting", "exception")),
        ("defer", "quarantine", ("waiting", "quarantine")),
        ("defer", "rollout", ("waiting", "rollout")),
        ("deny", "approval", ("awaiting_approval", "approval")),
        ("deny", "tier", ("escalated", "tier")),
        ("deny", "allow_list", ("escalated", "allow_list")),
        ("deny", "precheck", ("escalated", "precheck")),
        ("deny", "fleet_breaker", ("escalated", "fleet_breaker")),
    ],
)
def test_a_guard_says_where_an_incident_stands(
    ruling: Ruling, guard: str, standing: tuple[State, str]
) -> None:
    assert judged(confirmed(), Verdict(ruling, guard, "x")) == standing


def test_a_runbook_that_only_people_carry_out_waits_for_no_approval() -> None:
    assert judged(confirmed(), deny("approval"), never=True) == ("escalated", "approval")


@pytest.mark.parametrize(
    ("verdict", "waits"),
    [
        (wait("tokens", 90), timedelta(seconds=90)),
        (wait("quarantine", None), None),
        (deny("approval"), timedelta(days=1)),
        (deny("allow_list"), None),
    ],
)
def test_it_is_said_until_when_it_waits(verdict: Verdict, waits: timedelta | None) -> None:
    story = confirmed()

    judged(story, verdict)

    until = story.register.open["time"].until
    assert until == (None if waits is None else AT + waits)


@pytest.mark.parametrize(
    ("first", "then", "stays"),
    [
        (deny("approval"), (wait("hold"),), True),
        (deny("approval"), (deny("kill_switch"),), True),
        (deny("approval"), (APPROVED, wait("tokens")), False),
        (deny("approval"), (deny("mode"),), False),
        (deny("allow_list"), (wait("cooldown"),), True),
        (deny("allow_list"), (deny("kill_switch"),), True),
        (deny("allow_list"), (deny("approval"),), False),
        (deny("allow_list"), (deny("precheck"),), False),
        (deny("allow_list"), (deny("mode"),), False),
        (wait("cooldown"), (wait("tokens"),), False),
        (wait("cooldown", 50), (wait("cooldown", 20),), True),
    ],
)
def test_a_wait_is_not_restarted_and_people_are_not_called_off(
    first: Verdict, then: tuple[Verdict, ...], stays: bool
) -> None:
    story = confirmed()
    before = judged(story, first)
    count = len(story.moves)

    after = judged(story, *then)

    assert (after == before) is stays
    assert (len(story.moves) == count) is stays


def test_an_approval_that_nobody_gave_in_time_calls_people_once() -> None:
    story = confirmed()
    judged(story, deny("approval"))
    look.look(story, [make_sighting()], NUMBERS, AT + timedelta(hours=23, minutes=59))
    assert story.register.open["time"].state == "awaiting_approval"

    look.look(story, [make_sighting(status="unknown")], NUMBERS, AT + timedelta(days=1))

    assert story.moves[-1].reason == "approval-expired"
    assert judged(story, deny("approval")) == ("escalated", "approval-expired")


def test_an_approval_that_came_late_is_acted_on() -> None:
    story = confirmed()
    judged(story, deny("approval"))
    look.look(story, [make_sighting()], NUMBERS, AT + timedelta(days=1))

    verdicts.admitted(story, make_action(), AT)

    assert story.register.open["time"].state == "executing"


@pytest.mark.parametrize(
    ("reasons", "standing"),
    [
        (["no-remedy"], ("escalated", "no-remedy")),
        (["observe"], ("waiting", "mode")),
        (["no-remedy", "observe"], ("waiting", "mode")),
        (["observe", "no-remedy"], ("escalated", "no-remedy")),
        (["no-runbook", "no-remedy"], ("escalated", "no-remedy")),
        (["advice-invalid", "no-remedy"], ("escalated", "advice-invalid")),
    ],
)
def test_what_nothing_is_planned_for_is_explained(
    reasons: list[str], standing: tuple[State, str]
) -> None:
    story = confirmed()
    for reason in reasons:
        verdicts.left_over(story, "time", reason, AT)
        count = len(story.moves)
        verdicts.left_over(story, "time", reason, AT)
        assert len(story.moves) == count, "the same again is not news"

    one = story.register.open["time"]
    assert (one.state, one.reason) == standing


def test_a_quarantined_or_unconfirmed_incident_is_not_planned_for() -> None:
    story = Story(Register(target=TARGET))
    look.look(story, [make_sighting()], NUMBERS, AT)
    verdicts.admitted(story, make_action(), AT)
    verdicts.left_over(story, "time", "no-remedy", AT)

    assert judged(story, deny("allow_list")) == ("detected", "seen")


def test_fixes_that_do_not_hold_go_to_people_once_they_are_confirmed() -> None:
    story = confirmed()

    assert look.tire(story, ["time", "other"], AT) == ("time",)
    assert story.register.open["time"].reason == "does-not-hold"
    assert look.tire(story, ["time"], AT) == ()
