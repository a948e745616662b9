"""Nothing begins on a host that could not be brought back to how it was found.

A rollback that was not verified, or access that was lost, closes the host until its incident is
over or a person has looked at it since (``acknowledgements/<client>/<id>.yaml``, ``looked_at``).
A look that was before it was closed again opens nothing.
"""

from reconciler.guard.context import Guard, GuardContext
from reconciler.guard.lost import without_memory
from reconciler.model.plan import Action
from reconciler.model.verdict import Verdict

NAME = "quarantine"


def judge(_action: Action, context: GuardContext) -> Verdict:
    """Defer while the host is closed for an incident that nobody has taken over."""
    if context.memory is None:
        return without_memory(NAME, context)
    calendar = context.calendar
    today = context.now.date() if calendar is None else calendar.day
    known = context.desired.acknowledgements
    closed_for = [
        f"{each.rule} ({each.fingerprint})"
        for each in context.memory.quarantined.values()
        if not any(one.opens(each.fingerprint, each.at, today, context.now) for one in known)
    ]
    if not closed_for:
        return Verdict("allow", NAME)
    said = f"this host is closed until a person has looked at {', '.join(closed_for)}"
    return Verdict("defer", NAME, said)


GUARD = Guard(NAME, judge)
