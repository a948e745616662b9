"""Numbers of ``policies/guards.yaml`` that cannot work, found by the guards that judge by them.

An action is done whenever they allow, under a fake clock, and fails or does not hold each time.
What a number counts must be able to happen under the other numbers (lesson 7: five in 30 minutes
under a cooldown of 10), and what it stops must be free again within a week.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from reconciler.evidence.bodies import action_body
from reconciler.guard import breaker, cooldown, flap, tokens, trips
from reconciler.guard.attempt import QUIET
from reconciler.guard.charging import charge
from reconciler.guard.context import Guard, GuardContext
from reconciler.guard.memory import Memory, fold
from reconciler.guard.recurrence import damping
from reconciler.model.guard_settings import FlapSettings, GuardSettings
from reconciler.model.plan import Action

Moment = Callable[[GuardSettings, datetime, Memory, Action], GuardContext]
"""From numbers, a time, memory and an action to what guards may know."""

Problem = tuple[tuple[str, ...], str, str]
"""Path of the number in ``policies/guards.yaml``, what is wrong, what to do."""

WEEK = timedelta(days=7)
_RULE = "any-rule"
_ADD_UP = 2
_NEVER = 1_000_000
_OFTEN = 8
"""Actions that share a runbook in a rehearsal: certificates, units, files."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Where numbers are rehearsed.

    Attributes:
        target: ``<client>/<host>``.
        at: Where the fake clock starts.
        every: How far two runs are apart.
        moment: Makes contexts.
    """

    target: str
    at: datetime
    every: timedelta
    moment: Moment


@dataclass(slots=True)
class Played:
    """What came of a rehearsal.

    Attributes:
        memory: As the last run left it.
        done: How many actions began.
        stopped: The longest wait that each guard asked for, in seconds.
        score: The highest score of a rule that flaps.
        recurrences: The most recurrences within the days that count.
        opened_after: Failures in a row when the breaker first opened; ``None`` when it never did.
        failures: Most failures of one action that counted at once.
    """

    memory: Memory
    done: int = 0
    stopped: dict[str, int] = field(default_factory=dict)
    score: int = 0
    recurrences: int = 0
    opened_after: int | None = None
    failures: int = 0


def number_problems(numbers: GuardSettings, stage: Stage) -> Iterator[Problem]:
    """Numbers that cannot do what they are there for."""
    yield from _of_cooldown(numbers, stage)
    yield from _of_flap(numbers, stage)
    yield from _of_breaker(numbers, stage)


def play(
    numbers: GuardSettings,
    stage: Stage,
    guards: Sequence[Guard],
    result: str,
    enough: Callable[[Played], bool],
    actions: int = 1,
) -> Played:
    """At most a week in which actions begin whenever some guards allow, and always end like this.

    Args:
        numbers: What the guards judge by.
        stage: Where it is played.
        guards: The ones that are asked.
        result: How every action ends; ``healed`` never holds.
        enough: Whether what was to be seen was seen; a working number is rehearsed briefly.
        actions: How many actions share one runbook.
    """
    played, now = Played(memory=Memory.empty()), stage.at
    work = [_action(stage.target, number) for number in range(actions)]
    while now < stage.at + WEEK and not enough(played):
        waits = [_try(action, numbers, stage, guards, result, played, now) for action in work]
        # Nobody asks between two runs, so the one after the shortest wait is the next that counts.
        runs = -(-min(waits) // int(stage.every.total_seconds()))
        now += stage.every * max(runs, 1)
    return played


def _try(
    action: Action,
    numbers: GuardSettings,
    stage: Stage,
    guards: Sequence[Guard],
    result: str,
    played: Played,
    now: datetime,
) -> int:
    """Begin if every guard allows; how many seconds to wait if not."""
    context = stage.moment(numbers, now, played.memory, action)
    for guard in guards:
        verdict = guard.judge(action, context)
        if verdict.ruling != "allow":
            wait_s = verdict.retry_after_s or 0
            played.stopped[guard.name] = max(wait_s, played.stopped.get(guard.name, 0))
            return wait_s
    spent = {"action": action_body(action), "charge": charge(action, context).to_body()}
    ended = {"action": action.id, "result": result, "rules": list(action.rules)}
    memory = fold(played.memory, "intent", spent, now)
    played.memory = fold(memory, "outcome", ended, now)
    _note(action, numbers, context, played, now)
    return 0


def _note(
    action: Action, numbers: GuardSettings, context: GuardContext, played: Played, now: datetime
) -> None:
    memory = played.memory
    played.done += 1
    flaps = damping(memory.flaps.get(_RULE), numbers.flap, now)
    played.score = max(played.score, flaps.score)
    played.recurrences = max(played.recurrences, flaps.recurrences)
    played.failures = max(played.failures, memory.attempts[action.id].failures)
    runs = memory.breakers.get(breaker.key(action, context), ())
    switch = trips.switch(runs, numbers.breaker)
    if switch.opened_at is not None:
        played.opened_after = switch.failures


def _action(target: str, number: int) -> Action:
    return Action(
        id=f"{number:064x}",
        target=target,
        tier="L1",
        rules=(_RULE,),
        runbook="RB-ANY-001",
        runbook_digest="",
        params={},
    )


def _of_cooldown(numbers: GuardSettings, stage: Stage) -> Iterator[Problem]:
    if cooldown.bound_s(0, numbers.cooldown) < numbers.cooldown.base_s:
        said = "the cap of the cooldown is below its base, so failures change nothing"
        yield ("cooldown", "cap_s"), said, "Make cap_s larger than base_s."
    failing = play(numbers, stage, (cooldown.GUARD,), "failed", lambda p: p.failures >= _ADD_UP)
    if failing.failures < _ADD_UP:
        said = f"failures are forgotten after {QUIET} and cannot add up under the cooldown"
        yield ("cooldown", "cap_s"), said, "Keep the longest cooldown shorter than that."


def _of_flap(numbers: GuardSettings, stage: Stage) -> Iterator[Problem]:
    wanted, others = numbers.flap, (cooldown.GUARD, tokens.GUARD)
    # Without the flap guard: it must be able to count as far as it would stop.
    free = play(numbers, stage, others, "healed", lambda played: _counts(played, wanted))
    never = f"a fix that never holds is done {free.done} times in a week under cooldown and tokens"
    if free.score < wanted.suppress_at:
        said = f"suppress_at {wanted.suppress_at} cannot be reached: {never}, score {free.score}"
        yield ("flap", "suppress_at"), said, "Lower it, or let a penalty last longer."
    if free.recurrences < wanted.most_recurrences:
        said = (
            f"most_recurrences {wanted.most_recurrences} within {wanted.within_days} days cannot "
            f"be reached: {never}, {free.recurrences} within those days"
        )
        yield ("flap", "most_recurrences"), said, "Count fewer, or shorten the cooldown."
    guards = (flap.GUARD, *others)
    damped = play(numbers, stage, guards, "healed", lambda played: flap.NAME in played.stopped)
    wait_s = damped.stopped.get(flap.NAME, 0)
    if wait_s > WEEK.total_seconds():
        said = f"what flaps is stopped for {wait_s // 86_400} days before it comes to reuse_at"
        yield ("flap", "reuse_at"), said, "Raise reuse_at, or shorten the half-life."


def _counts(played: Played, wanted: FlapSettings) -> bool:
    enough = played.recurrences >= wanted.most_recurrences
    return enough and played.score >= wanted.suppress_at


def _of_breaker(numbers: GuardSettings, stage: Stage) -> Iterator[Problem]:
    guards, wanted = (breaker.GUARD, cooldown.GUARD, tokens.GUARD), numbers.breaker
    if trips.open_s(1, wanted) < wanted.open_s:
        said = "the cap of the breaker is below its first opening, so another trip changes nothing"
        yield ("breaker", "cap_s"), said, "Make cap_s larger than open_s."
    alone = play(numbers, stage, guards, "failed", _opened)
    if alone.opened_after is None:
        said = (
            f"it never opens: a runbook that always fails is tried {alone.done} times in a week "
            "under cooldown and tokens"
        )
        yield ("breaker", "consecutive"), said, "Count fewer failures, or shorten the cooldown."
    # As if only the share of bad runs counted: failures in a row may not answer for it.
    patient = wanted.model_copy(update={"consecutive": _NEVER})
    shared = numbers.model_copy(update={"breaker": patient})
    if play(shared, stage, guards, "failed", _opened, _OFTEN).opened_after is None:
        said = (
            f"{wanted.runs} runs of a runbook within {wanted.within_s} s cannot be reached under "
            "cooldown and tokens"
        )
        yield ("breaker", "runs"), said, "Count fewer runs, or over a longer time."


def _opened(played: Played) -> bool:
    return played.opened_after is not None
