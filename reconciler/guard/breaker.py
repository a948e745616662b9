"""A runbook that keeps failing for a client is switched off for a while.

So many failures in a row, or so many bad runs of those within an hour, open it: 30 minutes, twice
as long each time it opens again, 8 hours at most. Then one probe may run; if it fails it opens
again, and after two that heal it is closed.
"""

from datetime import timedelta

from reconciler.guard import trips
from reconciler.guard.context import Guard, GuardContext
from reconciler.guard.lost import without_memory
from reconciler.guard.memory import Memory
from reconciler.guard.trips import Switch
from reconciler.guard.waiting import seconds_until
from reconciler.model.guard_settings import BreakerSettings
from reconciler.model.plan import Action
from reconciler.model.verdict import Verdict

NAME = "breaker"


def judge(action: Action, context: GuardContext) -> Verdict:
    """Defer while it is open, and while a probe is under way."""
    memory = context.memory
    if memory is None:
        return without_memory(NAME, context)
    settings = context.desired.guards.breaker
    name = key(action, context)
    switch = trips.switch(memory.breakers.get(name, ()), settings)
    if switch.opened_at is None:
        return Verdict("allow", NAME)
    lasts = timedelta(seconds=trips.open_s(switch.trips, settings))
    # Under a clock that went back, no time has passed since it opened.
    now = max(context.now, switch.opened_at)
    if now < switch.opened_at + lasts:
        said = f"{action.runbook} is switched off for {_words(lasts)} after {switch.why}"
        return Verdict("defer", NAME, said, seconds_until(switch.opened_at + lasts, now))
    return _probe(action, memory, name, switch, settings)


def key(action: Action, context: GuardContext) -> str:
    """Which breaker counts an action: ``<client>|<runbook>``."""
    return f"{context.desired.client.id}|{action.runbook}"


def _probe(
    action: Action, memory: Memory, name: str, switch: Switch, settings: BreakerSettings
) -> Verdict:
    if any(each.breaker == name for each in memory.active.values()):
        return Verdict("defer", NAME, f"a probe of {action.runbook} has no outcome yet")
    said = f"probe {switch.successes + 1} of {settings.close_after} after {switch.why}"
    return Verdict("allow", NAME, said)


def _words(length: timedelta) -> str:
    return f"{length // timedelta(seconds=1)} s"


GUARD = Guard(NAME, judge)
