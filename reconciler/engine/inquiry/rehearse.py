"""Guard settings that cannot work, found by letting the guards themselves judge under a fake clock.

Rule 1: The guards that judge here are the ones that judge on a machine; nothing is computed beside
        them, so a rehearsal cannot be right about a rule that the guard does not have (lesson 7).
Rule 2: What is deliberate is no fault: a kill switch, freeze days, an exception, a fleet breaker, a
        stage, observe mode, a runbook that asks a person.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache

from reconciler.desired.fleet import Fleet
from reconciler.engine.inquiry.guard_numbers import Stage, number_problems
from reconciler.engine.windows import window_open
from reconciler.errors import Where
from reconciler.guard.calendar import Calendar
from reconciler.guard.context import GuardContext
from reconciler.guard.gate import admit, admitted
from reconciler.guard.memory import Memory
from reconciler.model.client import Client, Contact, Window
from reconciler.model.desired import BoundRule, DesiredState
from reconciler.model.finding import Finding
from reconciler.model.fleet_wide import FleetBreakers
from reconciler.model.guard_settings import GuardSettings
from reconciler.model.plan import Action
from reconciler.model.review import Remark
from reconciler.model.step import StepKind
from reconciler.model.verdict import Verdict
from reconciler.plan.planner import plan

RUN_EVERY = timedelta(minutes=5)
"""How often an appliance runs when its settings do not say otherwise."""
_WEEK = timedelta(days=7)
_PHASES = RUN_EVERY // timedelta(minutes=1)
_ANYBODY = Client(
    id="anybody",
    name="Anybody",
    tier="any",
    time_zone="UTC",
    frameworks=("any",),
    mode="observe",
    contacts=(Contact(role="none", name="Nobody", reach="none"),),
)


def guard_problems(
    fleet: Fleet, states: Mapping[str, DesiredState], steps: Mapping[str, StepKind], at: datetime
) -> Iterator[Remark]:
    """Settings that cannot do what they are there for.

    Args:
        fleet: As read and checked; for places of values.
        states: Every host's desired state, by target.
        steps: The catalogue of kinds of step.
        at: Where the fake clock starts.
    """
    for key, client in fleet.clients.items():
        yield from _windows(fleet, key, client, at)
    yield from _remedies(fleet, states, steps, at)
    for state in [*states.values()][:1]:
        yield from _numbers(fleet, state, steps, at)


def opens(client: Client, at: datetime) -> bool:
    """Whether some run of the week after a moment can fall into one of the client's windows."""
    return any(_hits(client.time_zone, window, at) for window in client.windows)


def _windows(fleet: Fleet, key: str, client: Client, at: datetime) -> Iterator[Remark]:
    for index, window in enumerate(client.windows):
        if _hits(client.time_zone, window, at) < _PHASES:
            yield _warning(
                fleet.where("client", key, "windows", index),
                "runs can miss this window every time: they are "
                f"{RUN_EVERY // timedelta(minutes=1)} min apart",
                "Make the window longer.",
            )


@lru_cache(maxsize=1024)
def _hits(time_zone: str, window: Window, at: datetime) -> int:
    """In how many phases of the runs, minute by minute, some run of a week falls into a window."""
    # Many clients share a zone and a window; what else a client says does not open it.
    client = _ANYBODY.model_copy(update={"time_zone": time_zone, "windows": (window,)})
    runs = [at + RUN_EVERY * number for number in range(_WEEK // RUN_EVERY)]
    return sum(
        any(window_open(client, run + timedelta(minutes=phase)) for run in runs)
        for phase in range(_PHASES)
    )


def _remedies(
    fleet: Fleet, states: Mapping[str, DesiredState], steps: Mapping[str, StepKind], at: datetime
) -> Iterator[Remark]:
    """Remedies under enforce that no guard would ever let begin, each with its hosts."""
    stuck: dict[tuple[str, str, str, str], dict[str, None]] = {}
    ever_open = {key: opens(client, at) for key, client in fleet.clients.items()}
    for target, state in states.items():
        bare = _undecided(state)
        for action in plan([_failing(rule, target) for rule in bare.rules], bare).actions:
            last = _best(action, bare, steps, at, ever_open[state.client.id])
            if last is not None and not _asks_a_person(state, action, last):
                fault = (action.runbook, *_chooser(action), f"{last.guard}: {last.reason}")
                stuck.setdefault(fault, {})[target] = None
    for (runbook, healing, rule, reason), targets in sorted(stuck.items()):
        yield _warning(
            fleet.where("healing", healing, "runbook")
            if healing
            else fleet.where("rule", rule, "remedy", "runbook"),
            f"{runbook} would never run on {_several(list(targets))}: {reason}",
            "Change the mode, the windows or the runbook; or say observe, which is honest.",
        )


def _chooser(action: Action) -> tuple[str, str]:
    """The healing rule that chose an action, if one did, and the rule that it is for."""
    return (action.healing[0] if action.healing else "", action.rules[0].partition("[")[0])


def _best(
    action: Action,
    state: DesiredState,
    steps: Mapping[str, StepKind],
    at: datetime,
    ever_open: bool,
) -> Verdict | None:
    """The verdict that stops an action even at the best of times; ``None`` when none does."""
    context = moment(state, steps, at, Memory.empty(), action, window=ever_open)
    verdicts = admit(action, context)
    return None if admitted(verdicts) else verdicts[-1]


def moment(
    state: DesiredState,
    steps: Mapping[str, StepKind],
    at: datetime,
    memory: Memory,
    action: Action,
    *,
    window: bool,
    calendar: Calendar | None = None,
) -> GuardContext:
    """A moment in which nothing holds the state, and every precheck was seen to hold."""
    pinned = state.runbooks.get(action.runbook)
    conditions = pinned.runbook.precheck if pinned else ()
    return GuardContext(
        now=at,
        desired=state,
        memory=memory,
        steps=steps,
        prechecks=tuple(
            Finding(
                rule=f"condition-{number}",
                check=condition.check,
                target=state.target,
                status="pass",
                severity="high",
                controls=(),
            )
            for number, condition in enumerate(conditions, 1)
        ),
        window_open=window,
        holds=(),
        calendar=calendar,
    )


def _asks_a_person(state: DesiredState, action: Action, verdict: Verdict) -> bool:
    mode = state.runbooks[action.runbook].runbook.mode
    return verdict.guard == "approval" and mode in {"approve", "never"}


def _failing(rule: BoundRule, target: str) -> Finding:
    return Finding(
        rule=rule.id,
        check=rule.check,
        target=target,
        status="fail",
        severity=rule.severity,
        controls=rule.controls,
    )


def _undecided(state: DesiredState) -> DesiredState:
    """A desired state without what people decided for a while, which the graph check speaks of."""
    return replace(
        state,
        client=state.client.model_copy(update={"kill_switch": None, "freeze": ()}),
        host=state.host.model_copy(update={"kill_switch": None}),
        guards=state.guards.model_copy(update={"staged_rollout": False}),
        kill_switches={},
        exceptions=(),
        breakers=FleetBreakers(),
    )


def _numbers(
    fleet: Fleet, state: DesiredState, steps: Mapping[str, StepKind], at: datetime
) -> Iterator[Remark]:
    """Numbers of the guards, which are the whole fleet's, under one host's desired state."""

    def then(numbers: GuardSettings, now: datetime, memory: Memory, action: Action) -> GuardContext:
        return moment(replace(state, guards=numbers), steps, now, memory, action, window=True)

    stage = Stage(target=state.target, at=at, every=RUN_EVERY, moment=then)
    for path, message, hint in number_problems(state.guards, stage):
        yield _warning(fleet.where("guards", "guards", *path), message, hint)


def _several(targets: list[str]) -> str:
    return ", ".join(targets[:3]) + (f" and {len(targets) - 3} more" if len(targets) > 3 else "")


def _warning(where: Where, message: str, hint: str) -> Remark:
    return Remark("warning", "guard", where, message, hint)
