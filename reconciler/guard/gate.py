"""The guards, in order: what people decided first, then what is seen, then what time says.

The host's mutex is not here: one run at a time is the ledger's lock, taken before anything is read.
"""

from collections.abc import Sequence

from reconciler.guard import (
    access_path_safe,
    allow_list,
    approval,
    cooldown,
    exception,
    fleet_breaker,
    freeze,
    hold,
    kill_switch,
    mode,
    precheck,
    rollout,
    tier,
)
from reconciler.guard.context import Guard, GuardContext
from reconciler.model.plan import Action
from reconciler.model.verdict import Verdict

GUARDS: tuple[Guard, ...] = (
    kill_switch.GUARD,
    hold.GUARD,
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
    cooldown.GUARD,
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


def admitted(verdicts: Sequence[Verdict]) -> bool:
    """Whether every guard spoke, and every one allowed."""
    names = [verdict.guard for verdict in verdicts]
    allowed = all(verdict.ruling == "allow" for verdict in verdicts)
    return allowed and names == [guard.name for guard in GUARDS]
