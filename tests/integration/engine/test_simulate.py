"""A week in seconds: the real run against a stream of drift, on a fake clock."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from reconciler.engine.inquiry.rehearse import RUN_EVERY
from reconciler.engine.simulation import simulate as simulation
from reconciler.engine.simulation.synthetic import BEGIN, Drift, storm
from reconciler.evidence.record import Record
from reconciler.model.client import KillSwitch
from reconciler.model.guard_settings import GuardSettings
from tests.support.desired_states import make_desired, make_rule
from tests.support.storms import drift, played, services, too_soon, unexplained


def states_of(records: list[Record], rule: str = "unit-0") -> list[str]:
    moves = [move for record in records for move in record.entry.body.get("incidents", ())]
    return [move["to"] for move in moves if move["rule"] == rule]


def every(minutes: int, times: int) -> list[Drift]:
    return [drift(1 + minutes * number) for number in range(times)]


def test_drift_is_healed_and_closed_after_its_soak() -> None:
    made, records = played(services(3), [drift(7)])

    document = made.document()
    assert document["acts"] == {"L1 RB-TIME-001": 1}
    assert document["results"] == {"healed": 1}
    assert document["ends"] == {"closed": 1}
    assert document["world"] == {"drifts": 1, "healed": 1, "vanished": 0, "left": 0}
    assert states_of(records) == [
        "detected", "confirmed", "planned", "admitted", "precheck", "executing", "verifying",
        "soak", "closed",
    ]  # fmt: skip
    closed = records[-1].entry
    assert closed.time - BEGIN >= timedelta(minutes=10, seconds=GuardSettings().soak_s)


def test_what_is_gone_by_itself_is_told_from_what_was_healed() -> None:
    held = replace(services(1), kill_switches={"fleet": KillSwitch(engaged=True, reason="Test")})
    made, records = played(held, [drift(1, lasts=timedelta(hours=2))])

    assert made.document()["acts"] == {}
    assert made.document()["world"] == {"drifts": 1, "healed": 0, "vanished": 1, "left": 0}
    assert made.document()["ends"] == {"resolved_itself: gone": 1}
    assert "waiting" in states_of(records)


@pytest.mark.parametrize(("fix", "result"), [("lies", "rolled_back"), ("fails", "rolled_back")])
def test_fix_that_does_not_work_is_tried_again_only_after_ever_longer_cooldowns(
    fix: str, result: str
) -> None:
    made, records = played(services(1), [drift(1, fix=fix)], days=2)

    assert set(made.document()["results"]) == {result}
    intents = [r.entry.time for r in records if r.entry.kind.value == "intent"]
    gaps = [later - earlier for earlier, later in pairwise(intents)]
    assert gaps == sorted(gaps) and gaps[0] >= timedelta(minutes=10)
    assert len(intents) < 12
    assert too_soon(records) == []
    assert unexplained(made.tally) == {}


def test_fix_that_cannot_be_taken_back_quarantines_the_host() -> None:
    made, records = played(services(2), [drift(1, fix="breaks"), drift(60, "unit-1")])

    assert made.document()["acts"] == {"L1 RB-TIME-001": 1}
    assert "quarantined" in states_of(records)
    assert any("quarantine" in words for words in made.document()["refusals"])
    assert unexplained(made.tally) == {}


@pytest.mark.parametrize("minutes", [90, 105, 120])
def test_another_owner_of_a_setting_is_damped_at_the_third_recurrence(minutes: int) -> None:
    """A group policy puts it back every 90 to 120 minutes, fixed or not."""
    made, records = played(services(1), every(minutes, 40), days=3)

    acts = [r.entry.time for r in records if r.entry.kind.value == "intent"]
    # The first fix and two recurrences; the third is left to people until the flap is over.
    back = [move["at"] for r in records for move in r.entry.body.get("incidents", ())
            if move["to"] == "detected"]  # fmt: skip
    assert [f"{at:%H:%M}" for at in acts[:3]] == [at[11:16] for at in back[:3]]
    third = datetime.fromisoformat(back[3])
    assert timedelta(hours=9) <= acts[3] - third <= timedelta(hours=12)
    escalated = [move["at"] for r in records for move in r.entry.body.get("incidents", ())
                 if move["reason"] == "does-not-hold"]  # fmt: skip
    assert escalated[0] == back[3]
    assert unexplained(made.tally) == {}


def test_without_a_remedy_it_stands_before_people_until_it_is_gone() -> None:
    state = make_desired(rules=[make_rule("unit-0", remedy=None)])
    made, _records = played(state, [drift(1)])
    assert made.document()["ends"] == {"escalated: no-remedy": 1}
    assert made.document()["acts"] == {}


def test_the_same_storm_gives_the_same_answer_and_another_seed_another() -> None:
    state = services(6)
    storms = [storm(state.rules, 25, days=1, seed=seed).drifts for seed in (1, 1, 2)]
    one, same, other = (played(state, drifts)[0].document() for drifts in storms)
    assert one == same
    assert one != other


def test_runs_that_are_left_out_would_have_changed_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    state = services(5)
    drifts = storm(state.rules, 20, days=1, seed=3).drifts
    quick = played(state, drifts)[0].document()
    monkeypatch.setattr(simulation, "MOST_LEFT_OUT", RUN_EVERY)
    whole = played(state, drifts)[0].document()
    assert whole["runs"] > quick["runs"]
    assert {**whole, "runs": 0} == {**quick, "runs": 0}
