"""The register takes in what may follow, and nothing else."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reconciler.errors import LedgerDamaged
from reconciler.incident import look
from reconciler.incident.register import MOST_ENDED, REMEMBER, Register, fold
from reconciler.incident.story import Story
from reconciler.incident.transition import Transition
from reconciler.model.guard_settings import GuardSettings
from tests.support.desired_states import TARGET
from tests.support.incidents import make_sighting

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
NUMBERS = GuardSettings()


def told(*looks: tuple[timedelta, Any]) -> Story:
    story = Story(Register(target=TARGET))
    for after, sighting in looks:
        look.look(story, [sighting], NUMBERS, AT + after)
    return story


def bodies(story: Story) -> list[dict[str, Any]]:
    return [move.to_body() for move in story.moves]


FAILS = make_sighting()
PASSES = make_sighting(status="pass")
NOW = timedelta(0)


def test_an_entry_of_another_kind_carries_nothing() -> None:
    steps = bodies(told((NOW, FAILS)))

    assert fold(Register(target=TARGET), "annotation", {"incidents": steps}).open == {}
    assert fold(Register(target=TARGET), "run", {}).open == {}


def test_a_question_counts_for_the_incident_that_it_is_about() -> None:
    register = told((NOW, FAILS)).register
    (one,) = register.open.values()

    asked = fold(register, "advice", {"phase": "asked", "incident": one.id})
    answered = fold(asked, "advice", {"phase": "answered", "incident": one.id})

    assert [i.asked for i in answered.open.values()] == [1]
    assert fold(register, "advice", {"phase": "asked", "incident": "other-1"}) == register


@pytest.mark.parametrize(
    "change",
    [
        {"to": "executing"},
        {"to": "nowhere"},
        {"from": "soak"},
        {"id": "0123456789ab-1"},
        {"fingerprint": "0" * 64},
        {"fingerprint": "x"},
        {"rule": "another"},
        {"at": "yesterday"},
        {"at": "2026-03-02T09:00:00Z"},
        {"reason": ""},
        {"until": 5},
        {"more": 1},
        {"recurred": True},
    ],
)
def test_a_step_that_cannot_follow_is_damage(change: dict[str, Any]) -> None:
    begun, confirmed = bodies(told((NOW, FAILS), (NOW, FAILS)))
    register = fold(Register(target=TARGET), "run", {"incidents": [begun]})
    assert fold(register, "run", {"incidents": [confirmed]}).open["time"].state == "confirmed"

    with pytest.raises(LedgerDamaged, match="garbled"):
        fold(register, "run", {"incidents": [confirmed | change]})


@pytest.mark.parametrize(
    "change",
    [
        {"to": "confirmed"},
        {"id": "0123456789ab-1"},
        {"occurrence": 2},
        {"occurrence": 0},
        {"severity": "awful"},
        {"source": "rumour"},
        {"controls": "all"},
        {"recurrences": -1},
        {"recurrences": True},
    ],
)
def test_a_beginning_of_another_form_is_damage(change: dict[str, Any]) -> None:
    (begun,) = bodies(told((NOW, FAILS)))

    with pytest.raises(LedgerDamaged, match="garbled"):
        fold(Register(target=TARGET), "run", {"incidents": [begun | change]})


def test_a_rule_has_one_open_incident_and_an_id_is_not_used_twice() -> None:
    (begun,) = bodies(told((NOW, FAILS)))
    register = fold(Register(target=TARGET), "run", {"incidents": [begun]})
    with pytest.raises(LedgerDamaged, match="beside another"):
        fold(register, "run", {"incidents": [begun]})

    over = told((NOW, FAILS), (NOW, PASSES)).register
    with pytest.raises(LedgerDamaged, match="was there before"):
        fold(over, "run", {"incidents": [begun]})


def test_what_is_forgotten_frees_no_id() -> None:
    week = REMEMBER + timedelta(seconds=1)
    other = make_sighting(rule="ssh")
    gone = make_sighting(rule="ssh", status="pass")
    story = told((NOW, FAILS), (NOW, PASSES), (week, other), (week, gone), (2 * week, FAILS))

    ids = [move.id for move in story.moves if move.before is None]
    assert FAILS.fingerprint not in story.register.ended
    assert ids[0] == f"{FAILS.fingerprint[:12]}-1"
    assert ids[2] == f"{FAILS.fingerprint[:12]}-2"


def test_what_ended_is_bounded() -> None:
    story = Story(Register(target=TARGET))
    for number in range(MOST_ENDED + 5):
        for sighting in (make_sighting(fault=str(number)), PASSES):
            look.look(story, [sighting], NUMBERS, AT)

    assert len(story.register.ended) == MOST_ENDED
    assert story.register.forgotten == 1


@pytest.mark.parametrize(
    "change",
    [
        {"open": []},
        {"ended": {}},
        {"forgotten": -1},
        {"more": 1},
        {"open": {"time": {}}},
        {"ended": [{"fingerprint": "0" * 64}]},
    ],
)
def test_a_register_of_another_form_is_damage(change: dict[str, Any]) -> None:
    body = told((NOW, FAILS)).register.to_body()
    assert Register.from_body(body, TARGET).open

    with pytest.raises(LedgerDamaged, match="register is garbled"):
        Register.from_body(body | change, TARGET)


def test_a_ledger_of_an_older_version_has_an_empty_register() -> None:
    assert Register.from_body(None, TARGET) == Register(target=TARGET)


def test_a_transition_reads_back_as_it_was() -> None:
    for move in told((NOW, FAILS), (NOW, FAILS), (NOW, PASSES)).moves:
        assert Transition.from_body(move.to_body()) == move
