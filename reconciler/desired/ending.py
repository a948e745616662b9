"""Exceptions and approvals that end soon, are over, or are not in force yet, on a given day.

An acknowledgement is over after its day: then people are called again, which nobody should wonder
about. Before that nothing is said of it: it lasts a few days, and whoever wrote it knows.
"""

from collections.abc import Iterator
from datetime import date
from typing import Literal

from reconciler.desired.fleet import Fleet
from reconciler.desired.problem import Problem, warning
from reconciler.model.acknowledgement import Acknowledgement
from reconciler.model.desired import DesiredState
from reconciler.model.term import Term

_HINTS = {
    "acknowledgement": "Renew it (reconciler acknowledge) or remove the file; people are called.",
    "approval": "Approve it again if it is still needed: reconciler approve RUNBOOK --as YOU.",
    "exception": "Review it (45 CFR 164.306(e)): close the gap, or decide anew with a new date.",
}


def ending(fleet: Fleet, today: date) -> tuple[Problem, ...]:
    """A warning for each, so that nobody learns of it from a check that fails.

    Args:
        fleet: As read.
        today: In UTC, as the appliance reckons.
    """
    return tuple(_problems(fleet, today))


def notices(desired: DesiredState, today: date) -> tuple[str, ...]:
    """The same of one host, in words: ``exception long-idle ends on 2027-01-31, in 12 days``."""
    terms = [("exception", e.id, e.term) for e in desired.exceptions]
    terms += [("approval", a.approval.id, a.approval.term) for a in desired.approvals]
    said = [(kind, name, term.words(today)) for kind, name, term in terms]
    said += [("acknowledgement", a.id, _over(a, today)) for a in desired.acknowledgements]
    said += [("runbook", name, words) for name, words in _switched_off(desired)]
    return tuple(f"{kind} {name} {words}" for kind, name, words in said if words is not None)


def _switched_off(desired: DesiredState) -> Iterator[tuple[str, str]]:
    """Runbooks of this host that a fleet breaker names as they are now."""
    opened = {breaker.digest: breaker.opened_on for breaker in desired.breakers.breakers}
    for name, pinned in sorted(desired.runbooks.items()):
        since = opened.get(f"sha256:{pinned.digest}")
        if since is not None:
            yield name, f"is switched off in the whole fleet since {since}"


def _over(acknowledgement: Acknowledgement, today: date) -> str | None:
    over = today > acknowledgement.until
    return f"was good until {acknowledgement.until}" if over else None


def _problems(fleet: Fleet, today: date) -> Iterator[Problem]:
    for key, exception in fleet.exceptions.items():
        yield from _problem(fleet, "exception", key, "review_by", exception.term, today)
    for key, approval in fleet.approvals.items():
        yield from _problem(fleet, "approval", key, "expires", approval.term, today)
    for key, acknowledgement in fleet.acknowledgements.items():
        words = _over(acknowledgement, today)
        if words is not None:
            where = fleet.where("acknowledgement", key, "until")
            yield warning(where, words, _HINTS["acknowledgement"])


def _problem(
    fleet: Fleet,
    kind: Literal["approval", "exception"],
    key: str,
    field: str,
    term: Term,
    today: date,
) -> Iterator[Problem]:
    words = term.words(today)
    if words is not None:
        over = ", so it counts for nothing" if term.phase(today) == "over" else ""
        yield warning(fleet.where(kind, key, field), words + over, _HINTS[kind])
