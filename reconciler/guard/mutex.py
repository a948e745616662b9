"""One action at a time on a host, few in a site, and never two domain controllers at once.

What counts is what the ledger has announced and not closed. Time alone frees nothing here: an
outcome does, and after a crash the next run of that host writes one.
"""

from collections.abc import Iterable

from reconciler.guard.active import Active
from reconciler.guard.charging import site
from reconciler.guard.context import Guard, GuardContext
from reconciler.guard.lost import without_memory
from reconciler.model.desired import DesiredState
from reconciler.model.plan import Action
from reconciler.model.verdict import Verdict

NAME = "mutex"
ALONE = "domain-controller"
"""Two hosts of this role are never worked on at once: a client without one has no logons."""


def judge(action: Action, context: GuardContext) -> Verdict:
    """Defer while something else runs on this host, or enough in its site."""
    if context.memory is None:
        return without_memory(NAME, context)
    taken = _taken(action, context.desired, context.memory.active.values())
    return Verdict("defer", NAME, taken) if taken else Verdict("allow", NAME)


def _taken(action: Action, desired: DesiredState, active: Iterable[Active]) -> str:
    running = list(active)
    for each in running:
        if each.target == action.target:
            return f"{each.runbook} has begun on this host and has no outcome yet"
        if ALONE in desired.host.roles and ALONE in each.roles and each.client == desired.client.id:
            return f"{each.runbook} runs on {each.target}, a {ALONE} as this host is"
    here = [each for each in running if each.site == site(desired)]
    if len(here) >= desired.guards.per_site:
        return f"{len(here)} actions run in {site(desired)}, at most {desired.guards.per_site} may"
    return ""


GUARD = Guard(NAME, judge)
