"""When the actions of a plan will begin, under a fake clock that jumps to where verdicts change.

Rule 1: The guards that judge here are the ones that judge on a machine, with the ledger's memory.
Rule 2: An action that begins spends tokens, so the others are judged with what it leaves; it is
        taken to heal, which is what lets the others go on.
Rule 3: What a guard promises (``retry_after_s``) is the least: the clock jumps there and asks
        again.
Rule 4: Nothing that only a person or another host ends is waited for.
"""

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from reconciler.engine.inquiry.rehearse import moment
from reconciler.engine.windows import calendar, window_open
from reconciler.evidence.bodies import action_body
from reconciler.guard.charging import charge
from reconciler.guard.context import GuardContext
from reconciler.guard.gate import admitted, judge_all
from reconciler.guard.memory import Memory, fold
from reconciler.model.desired import DesiredState
from reconciler.model.plan import Action
from reconciler.model.run import Hold
from reconciler.model.step import StepKind
from reconciler.model.verdict import Verdict

LOOK_AHEAD = timedelta(days=14)
_MOST_JUMPS = 64
"""Jumps for one action; windows, cooldowns and buckets need a handful."""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What guards judge by, apart from the time.

    Attributes:
        desired: The desired state in force.
        steps: The catalogue of kinds of step.
        memory: What the ledger says.
        holds: What holds the desired state.
    """

    desired: DesiredState
    steps: Mapping[str, StepKind]
    memory: Memory
    holds: tuple[Hold, ...]

    def at(self, action: Action, now: datetime) -> GuardContext:
        """A moment; every precheck is taken to hold."""
        client = self.desired.client
        window, told = window_open(client, now), calendar(client, now)
        context = moment(
            self.desired, self.steps, now, self.memory, action, window=window, calendar=told
        )
        return replace(context, holds=self.holds)

    def after(self, action: Action, now: datetime) -> "World":
        """The same once an action has begun and healed."""
        said = {
            "action": action_body(action),
            "charge": charge(action, self.at(action, now)).to_body(),
        }
        memory = fold(self.memory, "intent", said, now)
        ended = {"action": action.id, "result": "healed", "rules": list(action.rules)}
        return replace(self, memory=fold(memory, "outcome", ended, now))


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What becomes of one action.

    Attributes:
        runs_at: The earliest moment at which every guard allows it; ``None`` when none comes.
        stops: What stops it then.
    """

    runs_at: datetime | None
    stops: tuple[Verdict, ...] = ()


def foresee(
    actions: Sequence[Action],
    world: World,
    now: datetime,
    earliest: Mapping[str, datetime] | None = None,
) -> dict[str, Foreseen]:
    """What becomes of the actions of a plan, by id.

    Args:
        actions: In the order of the plan.
        world: What guards judge by.
        now: Where the clock starts.
        earliest: Before when an action is not tried, whatever guards say.
    """
    waiting = [
        (max(now, (earliest or {}).get(a.id, now)), number, 0) for number, a in enumerate(actions)
    ]
    heapq.heapify(waiting)
    found: dict[str, Foreseen] = {}
    while waiting:
        at, number, jumps = heapq.heappop(waiting)
        action = actions[number]
        verdicts = judge_all(action, world.at(action, at))
        if admitted(verdicts):
            found[action.id] = Foreseen(at)
            world = world.after(action, at)
            continue
        then = _next(verdicts, at)
        if then is None or then - now > LOOK_AHEAD or jumps >= _MOST_JUMPS:
            found[action.id] = Foreseen(None, stops(verdicts))
        else:
            heapq.heappush(waiting, (then, number, jumps + 1))
    return found


def stops(verdicts: Sequence[Verdict]) -> tuple[Verdict, ...]:
    """What time alone does not end; everything in the way where time ends it all."""
    against = [verdict for verdict in verdicts if verdict.ruling != "allow"]
    lasting = [verdict for verdict in against if not _passes(verdict)]
    return tuple(lasting or against)


def _next(verdicts: Sequence[Verdict], at: datetime) -> datetime | None:
    """When to ask again; ``None`` while something is in the way that does not pass."""
    against = [verdict for verdict in verdicts if verdict.ruling != "allow"]
    if not all(map(_passes, against)):
        return None
    return at + timedelta(seconds=max(verdict.retry_after_s or 1 for verdict in against))


def _passes(verdict: Verdict) -> bool:
    return verdict.ruling == "defer" and verdict.retry_after_s is not None
