"""Strict reading of transitions and registers from bodies of entries: a wrong shape is an error."""

import re
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, TypeVar

from reconciler.errors import EvidenceError
from reconciler.evidence.entry import stamp

T = TypeVar("T", bound=str)

_HEX = re.compile(r"[0-9a-f]{64}")


class Malformed(ValueError):
    """A value is not what it must be; the message says what it must be."""


def fields(value: object, names: set[str], maybe: Collection[str] = ()) -> Mapping[str, Any]:
    """A mapping with these keys, and perhaps some of the others."""
    found = mapping(value)
    if names <= set(found) <= names | set(maybe):
        return found
    raise Malformed(f"must have the fields {', '.join(sorted(names))}")


def mapping(value: object) -> Mapping[str, Any]:
    """A mapping with text keys."""
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return value
    raise Malformed("a mapping is missing")


def text(value: object) -> str:
    """A text that is not empty."""
    if isinstance(value, str) and value:
        return value
    raise Malformed("a text is missing")


def optional_text(value: object) -> str | None:
    """A text that is not empty, or nothing."""
    return None if value is None else text(value)


def texts(value: object) -> tuple[str, ...]:
    """A list of texts."""
    if isinstance(value, list | tuple):
        return tuple(text(item) for item in value)
    raise Malformed("a list of texts is missing")


def digest(value: object) -> str:
    """A hex SHA-256."""
    if isinstance(value, str) and _HEX.fullmatch(value):
        return value
    raise Malformed("a SHA-256 digest is missing")


def count(value: object, least: int = 0) -> int:
    """A whole number of at least so much."""
    if type(value) is int and value >= least:
        return value
    raise Malformed("a whole number is missing")


def one_of(value: object, known: Collection[T]) -> T:
    """One of the known words."""
    for word in known:
        if value == word:
            return word
    raise Malformed(f"{value!r} is not one of {', '.join(sorted(known))}")


def moment(value: object) -> datetime:
    """A time exactly as entries write it."""
    said = text(value)
    try:
        at = datetime.fromisoformat(said)
        if stamp(at) == said:
            return at
    except (ValueError, OverflowError, EvidenceError) as error:
        raise Malformed(f"{said!r} is not a time") from error
    raise Malformed(f"{said!r} is not a time as entries write it")


def optional_moment(value: object) -> datetime | None:
    """The same, or nothing."""
    return None if value is None else moment(value)
