"""Exceptions and approvals that end soon, are over, or are not in force yet, on a given day."""

from collections.abc import Iterator
from datetime import date
from typing import Literal

from reconciler.desired.fleet import Fleet
from reconciler.desired.problem import Problem, warning
from reconciler.model.desired import DesiredState
from reconciler.model.term import Term

_HINTS = {
    "approval": "Approve it again if it is still needed: reconciler plan BASE HEAD --approval.",
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
    return tuple(f"{kind} {name} {words}" for kind, name, words in said if words is not None)


def _problems(fleet: Fleet, today: date) -> Iterator[Problem]:
    for key, exception in fleet.exceptions.items():
        yield from _problem(fleet, "exception", key, "review_by", exception.term, today)
    for key, approval in fleet.approvals.items():
        yield from _problem(fleet, "approval", key, "expires", approval.term, today)


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
