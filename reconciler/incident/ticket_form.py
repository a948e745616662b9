"""Strict reading of tickets from an entry's body: a wrong shape is an error, never a default."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from reconciler.incident.form import (
    Malformed,
    count,
    digest,
    fields,
    mapping,
    optional_text,
    text,
)

__all__ = [
    "Covered",
    "Malformed",
    "count",
    "covered",
    "digest",
    "fields",
    "flag",
    "items",
    "mapping",
    "optional_count",
    "optional_text",
    "pair",
    "stamp",
    "text",
    "time",
]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Covered:
    """A ticket that an entry is about.

    Attributes:
        ticket: Fingerprint.
        incident: Id of the incident.
        rule: The bound rule that fails.
        reason: Why people are asked.
        round: The round that it is told in.
        step: The step in it.
        follows: Fingerprint of the ticket that this one goes on with, since what differs changed.
    """

    ticket: str
    incident: str
    rule: str
    reason: str
    round: int
    step: int
    follows: str | None = None

    def to_body(self) -> dict[str, Any]:
        """JSON values for evidence, as `covered` reads them."""
        said: dict[str, Any] = {
            "ticket": self.ticket,
            "incident": self.incident,
            "rule": self.rule,
            "reason": self.reason,
            "round": self.round,
            "step": self.step,
        }
        return said if self.follows is None else said | {"follows": self.follows}


def covered(body: Mapping[str, Any]) -> tuple[Covered, ...]:
    """The tickets that an entry is about: those that it lists, else its own."""
    listed = body.get("covers")
    if listed is None:
        return (_covered(body),)
    return tuple(_covered(mapping(one)) for one in items(listed))


def _covered(value: Mapping[str, Any]) -> Covered:
    follows = value.get("follows")
    return Covered(
        digest(value.get("ticket")),
        text(value.get("incident")),
        text(value.get("rule")),
        text(value.get("reason")),
        count(value.get("round")),
        count(value.get("step")),
        None if follows is None else digest(follows),
    )


def items(value: object) -> Sequence[Any]:
    """A list."""
    if isinstance(value, list | tuple):
        return value
    raise Malformed("a list is missing")


def optional_count(value: object) -> int | None:
    """A whole number that is not negative, or nothing."""
    return None if value is None else count(value)


def pair(value: object) -> tuple[int, int]:
    """Two whole numbers."""
    found = items(value)
    if len(found) != 2:
        raise Malformed("two whole numbers are missing")
    return count(found[0]), count(found[1])


def flag(value: object) -> bool:
    """Yes or no."""
    if isinstance(value, bool):
        return value
    raise Malformed("a yes or no is missing")


def stamp(at: datetime) -> int:
    """A time as whole microseconds since 1970, which JSON can hold exactly until 2255."""
    return (at.astimezone(UTC) - _EPOCH) // timedelta(microseconds=1)


def time(value: object) -> datetime:
    """The inverse of `stamp`."""
    try:
        return _EPOCH + timedelta(microseconds=count(value))
    except OverflowError as error:
        raise Malformed("a time is beyond the calendar") from error
