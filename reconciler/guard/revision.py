"""A system that failed on this host is not activated again by itself.

It stays denied until a person has looked since (``acknowledgements/<client>/<id>.yaml``,
``looked_at``) or another system becomes the trusted one: that one is free at once. What failed
before anything of the system ran only cools down.
"""

from reconciler.guard.context import Guard, GuardContext
from reconciler.guard.lost import without_memory
from reconciler.guard.systems import Failed
from reconciler.model.plan import Action
from reconciler.model.verdict import Verdict

NAME = "revision"


def judge(action: Action, context: GuardContext) -> Verdict:
    """Deny an action that would activate a system which failed here."""
    path = action.params.get("system")
    if not isinstance(path, str):
        return Verdict("allow", NAME)
    if context.memory is None:
        return without_memory(NAME, context)
    failed = context.memory.systems.failed.get(path)
    if failed is None or not failed.quarantined:
        return Verdict("allow", NAME)
    calendar = context.calendar
    today = context.now.date() if calendar is None else calendar.day
    known = context.desired.acknowledgements
    if any(
        one.opens(each, failed.at, today, context.now)
        for one in known
        for each in failed.fingerprints
    ):
        return Verdict("allow", NAME)
    said = f"this system failed here; a newer release, or a person's look at {_named(failed)}"
    return Verdict("deny", NAME, f"{said}, lets it run again")


def _named(failed: Failed) -> str:
    return ", ".join(failed.fingerprints) or "its incident"


GUARD = Guard(NAME, judge)
