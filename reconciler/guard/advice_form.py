"""Strict reading of what ``advice`` entries and their budget say."""

import re
from typing import TypeVar

from reconciler.guard.memory_form import Malformed

_INCIDENT = re.compile(r"[0-9a-f]{12}-[1-9][0-9]{0,8}")

K = TypeVar("K")


def incident_id(value: object) -> str:
    """The id of an incident: the beginning of its fingerprint, and its occurrence."""
    if isinstance(value, str) and _INCIDENT.fullmatch(value):
        return value
    raise Malformed("the id of an incident is missing")


def fault_of(value: object) -> str:
    """What an incident has in common with those of the same fault."""
    return incident_id(value).partition("-")[0]


def pair(value: object) -> tuple[object, object]:
    """A list of two."""
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise Malformed("a list of two is missing")
    return value[0], value[1]


def one_of(value: object, allowed: tuple[K, ...]) -> K:
    """One of a closed list."""
    for one in allowed:
        if value == one:
            return one
    raise Malformed(f"must be one of {', '.join(map(str, allowed))}")
