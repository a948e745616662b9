"""What a look does to an incident, case by case."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from reconciler.incident import ends, look, verdicts
from reconciler.incident.fingerprint import Sighting
from reconciler.incident.register import Register
from reconciler.incident.story import Story
from reconciler.model.acknowledgement import Acknowledgement
from reconciler.model.finding import Status
from reconciler.model.guard_settings import GuardSettings
from reconciler.model.incident import State
from tests.support.desired_states import TARGET, make_action
from tests.support.incidents import make_outcome, make_sighting

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
NUMBERS = GuardSettings()
SLOW = GuardSettings(confirm_s=600)
FAILS, PASSES = make_sighting(), make_sighting(status="pass")
CHANGED = make_sighting(fault="missing")
RENEWED = replace(make_sighting(fault="behind"), renewed=True)


class Told:
    """One rule, looked at again and again."""

    def __init__(self, numbers: GuardSettings = NUMBERS) -> None:
        self.at = AT
        self.numbers = numbers
        self.story = Story(Register(target=TARGET))

    def see(self, *sightings: Sighting, after_s: int = 0) -> "Told":
        self.at += timedelta(seconds=after_s)
        for sighting in sightings:
            look.look(self.story, [sighting], self.numbers, self.at)
        return self

    def act(self, result: str = "healed", **outcome: Any) -> "Told":
        verdicts.admitted(self.story, make_action(), self.at)
        made = make_outcome(result, **outcome)
        ends.ended(self.story, made, {"unit.restart"}, 300, self.numbers, self.at)
        return self

    @property
    def states(self) -> list[State]:
        return [move.after for move in self.story.moves]

    @property
    def last(self) -> tuple[State, str]:
        return self.story.moves[-1].after, self.story.moves[-1].reason


def test_a_critical_finding_needs_one_sighting_and_another_two() -> None:
    assert Told().see(make_sighting(critical=True)).last == ("confirmed", "critical")
    assert Told().see(FAILS).states == ["detected"]
    assert Told().see(FAILS, FAILS).last == ("confirmed", "seen-again")


def test_the_second_sighting_comes_no_sooner_than_asked() -> None:
    told = Told(SLOW).see(FAILS).see(FAILS, after_s=599)
    assert told.states == ["detected"]
    assert told.see(FAILS, after_s=1).last == ("confirmed", "seen-again")


def test_a_value_that_changes_with_every_look_is_confirmed_all_the_same() -> None:
    told = Told(SLOW)
    for number in range(5):
        told.see(make_sighting(fault=str(number)), after_s=200)

    assert told.last == ("confirmed", "seen-again")
    assert told.story.register.open["time"].opened == AT + timedelta(seconds=200)


@pytest.mark.parametrize(
    ("status", "reason"),
    [("pass", "gone"), ("excepted", "excepted"), ("not_applicable", "not-applicable")],
)
def test_what_does_not_fail_any_more_is_over(status: Status, reason: str) -> None:
    assert Told().see(FAILS, make_sighting(status=status)).last == ("resolved_itself", reason)


def test_what_cannot_be_seen_neither_begins_nor_ends_one() -> None:
    unknown = make_sighting(status="unknown")

    assert Told().see(unknown).states == []
    assert Told().see(FAILS, unknown).states == ["detected"]
    assert Told().see(FAILS, FAILS).act().see(unknown, after_s=9999).last[0] == "soak"


def test_another_fault_of_a_rule_is_another_incident_with_the_same_history() -> None:
    told = Told().see(FAILS, FAILS, CHANGED)

    assert told.states[2:] == ["resolved_itself", "detected", "confirmed"]
    assert told.story.moves[2].reason == "changed"
    assert told.story.register.open["time"].fingerprint == CHANGED.fingerprint


def test_a_fix_must_hold_for_the_soak_to_the_second() -> None:
    told = Told().see(FAILS, FAILS).act()
    assert told.see(PASSES, after_s=3599).last[0] == "soak"
    assert told.see(PASSES, after_s=1).last == ("closed", "held")


def test_an_exception_in_the_soak_closes_it() -> None:
    told = Told().see(FAILS, FAILS).act().see(make_sighting(status="excepted"))

    assert told.last == ("closed", "excepted")


@pytest.mark.parametrize("fault", [FAILS, CHANGED])
def test_a_fault_in_the_soak_is_a_recurrence_whatever_differs(fault: Sighting) -> None:
    told = Told().see(FAILS, FAILS).act().see(fault, after_s=60)

    back = next(move for move in told.story.moves if move.recurred)
    assert (back.before, back.after, back.recurrences) == ("soak", "confirmed", 1)
    assert told.last[0] == "confirmed"
    assert told.story.register.open["time"].recurrences == 1


@pytest.mark.parametrize(("days", "recurrences"), [(7, 1), (8, 0)])
def test_a_fault_within_a_week_of_its_end_is_a_recurrence(days: int, recurrences: int) -> None:
    told = Told().see(FAILS, FAILS).act().see(PASSES, after_s=3600)

    told.see(FAILS, after_s=days * 86_400)

    assert told.story.moves[-1].recurred is bool(recurrences)
    assert told.story.register.open["time"].recurrences == recurrences


def test_another_system_that_is_wanted_is_another_incident_and_no_recurrence() -> None:
    told = Told().see(FAILS, FAILS).act()
    soaking = told.story.register.open["time"].id

    told.see(RENEWED, after_s=60)

    assert [(move.id == soaking, move.after) for move in told.story.moves[-2:]] == [
        (True, "closed"),
        (False, "detected"),
    ]
    assert told.see(RENEWED).last == ("confirmed", "seen-again")
    told.act().see(PASSES, after_s=3600).see(RENEWED, after_s=86_400)
    assert not any(move.recurred for move in told.story.moves)
    assert told.story.register.open["time"].recurrences == 0


def test_what_came_right_by_itself_is_no_recurrence() -> None:
    told = Told().see(FAILS, PASSES, FAILS)

    assert not any(move.recurred for move in told.story.moves)
    assert told.story.register.open["time"].occurrence == 2


def quarantined() -> Told:
    return Told().see(FAILS, FAILS).act("failed", rollback="unverified")


def test_a_quarantine_outlives_another_fault_and_ends_when_the_rule_passes() -> None:
    assert quarantined().see(CHANGED).last == ("quarantined", "rollback-unverified")
    assert quarantined().see(PASSES).last == ("resolved_itself", "gone")


def test_a_person_who_takes_it_over_frees_the_host() -> None:
    told = quarantined()
    taken = Acknowledgement(id="a", incident=FAILS.fingerprint, by="ann", until=date(2026, 3, 2))
    taken = taken.model_copy(update={"looked_at": AT})

    look.acknowledge(told.story, [taken], date(2026, 3, 3), AT)
    assert told.last[0] == "quarantined", "its last day is over"
    other = taken.model_copy(update={"incident": "0" * 64})
    look.acknowledge(told.story, [other], date(2026, 3, 2), AT)
    assert told.last[0] == "quarantined", "it is for another"
    look.acknowledge(told.story, [taken], date(2026, 3, 2), AT)
    assert told.last == ("escalated", "acknowledged")


def test_a_rule_that_nobody_asks_for_any_more_ends_its_incident() -> None:
    told = Told().see(FAILS)
    look.drop(told.story, {"time"}, AT)
    assert told.states == ["detected"]

    look.drop(told.story, {"ssh"}, AT)

    assert told.last == ("resolved_itself", "rule-removed")


@pytest.mark.parametrize(
    ("result", "outcome", "states"),
    [
        ("healed", {}, ["verifying", "soak"]),
        ("rolled_back", {}, ["verifying", "rolling_back", "rolled_back", "cooldown"]),
        ("failed", {}, ["verifying", "cooldown"]),
        ("denied", {}, ["verifying", "cooldown"]),
        ("failed", {"rollback": "unverified"}, ["verifying", "rolling_back", "quarantined"]),
        ("failed", {"rollback": "unverified", "used": "unit.restart"}, ["verifying", "cooldown"]),
        (
            "failed",
            {"rollback": "unverified", "used": "unit.restart", "undone": False},
            ["verifying", "rolling_back", "quarantined"],
        ),
        (
            "failed",
            {"rollback": "unverified", "used": "unit.restart", "after": None},
            ["verifying", "rolling_back", "quarantined"],
        ),
        ("interrupted", {"after": "pass"}, ["verifying", "soak"]),
        ("interrupted", {"after": "fail"}, ["verifying", "cooldown"]),
        ("interrupted", {"after": "unknown"}, ["verifying", "cooldown"]),
        ("interrupted", {"after": None}, ["verifying", "cooldown"]),
    ],
)
def test_an_outcome_leads_where_the_look_after_it_says(
    result: str, outcome: dict[str, Any], states: list[State]
) -> None:
    assert Told().see(FAILS, FAILS).act(result, **outcome).states[6:] == states
