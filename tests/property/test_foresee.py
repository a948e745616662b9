"""The moment that ``guard explain`` names, against guards that are asked minute by minute."""

from datetime import date, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.engine.inquiry.foresee import LOOK_AHEAD, World, foresee
from reconciler.evidence.bodies import action_body
from reconciler.guard.gate import admitted, judge_all
from reconciler.guard.memory import Memory, fold
from reconciler.model.desired import DesiredState
from reconciler.model.guard_settings import GuardSettings
from reconciler.model.plan import Action
from reconciler.model.run import Hold
from reconciler.steps import catalogue
from tests.support.desired_states import (
    frozen,
    make_action,
    make_client,
    make_desired,
    make_rule,
    make_runbook,
    pin,
)
from tests.support.guarding import NOW

STEPS = catalogue.load()
MINUTE = timedelta(minutes=1)
DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def desired(windows: list[dict[str, Any]], freeze: int, host: int) -> DesiredState:
    first = NOW.date() - timedelta(days=1)
    last = first + timedelta(days=freeze)
    days = [{"first": str(first), "last": str(last), "reason": "x"}] if freeze else []
    mode = "window" if windows else "auto"
    return make_desired(
        rules=[make_rule("time"), make_rule("clock")],
        runbooks=[pin(make_runbook(mode=mode))],
        client=make_client(windows=windows, freeze=days),
        guards=GuardSettings.model_validate(
            frozen({"tokens": {"host": host, "host_refill_s": 3600}})
        ),
    )


def action(number: int) -> Action:
    rules = ("time", "clock")[number : number + 1]
    unit = f"unit-{number}.service"
    return make_action(rules, params={"unit": unit}, id=f"{number}" * 64)


def remembering(events: list[tuple[int, str]]) -> Memory:
    memory, at = Memory.empty(), NOW - timedelta(days=1)
    for minutes, result in events:
        at = min(at + MINUTE * minutes, NOW)
        memory = fold(memory, "intent", {"action": action_body(action(0))}, at)
        ended = {"action": action(0).id, "result": result, "rules": ["time"]}
        memory = fold(memory, "outcome", ended, at)
    return memory


windows = st.lists(
    st.builds(
        lambda day, start: {"days": [day], "start": f"{start:02}:00", "end": f"{start:02}:30"},
        st.sampled_from(DAYS[:4]),
        st.integers(0, 23),
    ),
    max_size=2,
)
events = st.lists(
    st.tuples(st.integers(1, 400), st.sampled_from(["failed", "healed", "rolled_back"])),
    max_size=4,
).filter(lambda past: sum(result == "healed" for _wait, result in past) < 3)
# Three fixes that did not hold are suppressed from the moment somebody asks: each ask is recorded,
# so minutes that are asked alone would say less than a machine that runs.


@settings(max_examples=25, deadline=None)
@given(windows, st.sampled_from([0, 0, 1, 2]), st.integers(1, 2), events)
def test_it_is_the_first_minute_at_which_every_guard_allows(
    opened: list[dict[str, Any]], freeze: int, host: int, past: list[tuple[int, str]]
) -> None:
    world = World(
        desired=desired(opened, freeze, host), steps=STEPS, memory=remembering(past), holds=()
    )
    found = foresee([action(0)], world, NOW)[action(0).id]

    def allowed(minute: int) -> bool:
        at = NOW + MINUTE * minute
        return admitted(judge_all(action(0), world.at(action(0), at)))

    if found.runs_at is None:
        assert found.stops
        assert not any(allowed(hour * 60) for hour in range(0, 14 * 24, 3))
        return
    assert admitted(judge_all(action(0), world.at(action(0), found.runs_at)))
    minutes = (found.runs_at - NOW) // MINUTE
    step = max(minutes // 60, 1)
    assert not any(allowed(minute) for minute in range(0, minutes, step))


@settings(max_examples=15, deadline=None)
@given(windows, st.integers(1, 2))
def test_what_begins_later_is_judged_with_what_the_first_one_leaves(
    opened: list[dict[str, Any]], host: int
) -> None:
    world = World(desired=desired(opened, 0, host), steps=STEPS, memory=Memory.empty(), holds=())
    actions = [action(0), action(1)]
    found = foresee(actions, world, NOW)
    times = sorted(each.runs_at for each in found.values() if each.runs_at)
    assert len(times) == 2
    assert times[1] - times[0] >= (timedelta(hours=1) if host == 1 else timedelta(0))
    first = next(one for one in actions if found[one.id].runs_at == times[0])
    later = next(one for one in actions if one is not first)
    after = world.after(first, times[0])
    assert admitted(judge_all(later, after.at(later, times[1])))


def test_what_time_does_not_end_is_not_waited_for() -> None:
    state = desired([], 0, 1)
    world = World(desired=state, steps=STEPS, memory=Memory.empty(), holds=())
    stopped = make_action(runbook="RB-OTHER-001")
    found = foresee([stopped], world, NOW)[stopped.id]
    assert found.runs_at is None
    assert "allow_list" in {verdict.guard for verdict in found.stops}


def test_a_hold_is_not_waited_for() -> None:
    hold = Hold(reason="stale", message="is too old", hint="Look.", since=NOW)
    world = World(desired=desired([], 0, 1), steps=STEPS, memory=Memory.empty(), holds=(hold,))
    found = foresee([action(0)], world, NOW)[action(0).id]
    assert (found.runs_at, [stop.guard for stop in found.stops]) == (None, ["hold"])


def test_an_action_is_not_tried_before_it_is_confirmed() -> None:
    world = World(desired=desired([], 0, 1), steps=STEPS, memory=Memory.empty(), holds=())
    late = NOW + timedelta(minutes=7)
    assert foresee([action(0)], world, NOW, {action(0).id: late})[action(0).id].runs_at == late
    assert foresee([], world, NOW) == {}


def test_nothing_is_looked_for_further_ahead_than_is_said() -> None:
    state = desired([], 0, 1)
    far = make_client(
        freeze=[
            {
                "first": str(NOW.date()),
                "last": str(date.fromordinal(NOW.date().toordinal() + LOOK_AHEAD.days + 1)),
                "reason": "x",
            }
        ]
    )
    world = World(
        desired=make_desired(client=far, guards=state.guards),
        steps=STEPS,
        memory=Memory.empty(),
        holds=(),
    )
    found = foresee([action(0)], world, NOW)[action(0).id]
    assert (found.runs_at, [stop.guard for stop in found.stops]) == (None, ["freeze"])
