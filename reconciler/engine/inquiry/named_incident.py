"""An incident by what a ticket calls it, from the evidence of the hosts that one looks after."""

from collections.abc import Iterable
from typing import NoReturn

from reconciler.errors import InputError
from reconciler.model.incident import Incident

SHORTEST = 8
"""Hex digits of a fingerprint that are enough to name an incident by."""


def named_incident(incidents: Iterable[Incident], text: str) -> Incident:
    """The one open incident that a text names.

    Args:
        incidents: Open ones, of any number of hosts.
        text: An id (``0123456789ab-1``), a fingerprint, or its first digits.

    Raises:
        InputError: None is called so, or several are.
    """
    every = list(incidents)
    exact = [one for one in every if text in {one.id, one.fingerprint}]
    long_enough = len(text) >= SHORTEST and not set(text) - set("0123456789abcdef")
    begun = [one for one in every if long_enough and one.fingerprint.startswith(text)]
    found = exact or begun
    if len(found) != 1:
        _refuse(text, found, every)
    return found[0]


def _refuse(text: str, found: list[Incident], every: list[Incident]) -> NoReturn:
    shown = [f"{one.id} ({one.rule} on {one.target})" for one in (found or every)[:8]]
    what = f"{len(found)} open incidents are" if found else "no open incident is"
    hint = f"Open: {', '.join(shown)}." if shown else "There is no open incident at all."
    raise InputError(f"{what} called {text[:64]}", hint=hint)
