"""The guards, in order, and their one answer.

First what people decided, then what was seen, then what the runbook did elsewhere, then what it did
here. A verdict changes nothing; an intent does, and it carries what it spends (`charging.charge`).
"""

from collections.abc import Sequence

from reconciler.guard import (
    access_path_safe,
    allow_list,
    approval,
    breaker,
    cooldown,
    exception,
    flap,
    fleet_breaker,
    freeze,
    hold,
    kill_switch,
    mode,
    mutex,
    precheck,
    quarantine,
    revision,
    rollout,
    tier,
    tokens,
)
from reconciler.guard.context import Guard, GuardContext
from reconciler.model.plan import Action
from reconciler.model.verdict import Verdict

GUARDS: tuple[Guard, ...] = (
    kill_switch.GUARD,
    hold.GUARD,
    quarantine.GUARD,
    revision.GUARD,
    tier.GUARD,
    mode.GUARD,
    exception.GUARD,
    freeze.GUARD,
    allow_list.GUARD,
    approval.GUARD,
    access_path_safe.GUARD,
    precheck.GUARD,
    fleet_breaker.GUARD,
    rollout.GUARD,
    flap.GUARD,
    breaker.GUARD,
    cooldown.GUARD,
    tokens.GUARD,
    mutex.GUARD,
)


def admit(action: Action, context: GuardContext) -> tuple[Verdict, ...]:
    """Every guard's verdict, up to and including the first that does not allow."""
    verdicts: list[Verdict] = []
    for guard in GUARDS:
        verdict = guard.judge(action, context)
        verdicts.append(verdict)
        if verdict.ruling != "allow":
            break
    return tuple(verdicts)


def judge_all(action: Action, context: GuardContext) -> tuple[Verdict, ...]:
    """What every guard says, also after one that does not allow: for people who ask why."""
    return tuple(guard.judge(action, context) for guard in GUARDS)


def admitted(verdicts: Sequence[Verdict]) -> bool:
    """Whether every guard spoke, and every one allowed."""
    names = [verdict.guard for verdict in verdicts]
    allowed = all(verdict.ruling == "allow" for verdict in verdicts)
    return allowed and names == [guard.name for guard in GUARDS]
