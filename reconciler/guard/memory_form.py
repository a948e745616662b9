"""Strict reading of memory from an entry's body: a wrong shape is an error, never a default."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

T = TypeVar("T")

_HEX = re.compile(r"[0-9a-f]{64}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Malformed(ValueError):
    """A value is not what it must be; the message says what it must be."""


def mapping(value: object) -> Mapping[str, Any]:
    """A mapping with text keys."""
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return value
    raise Malformed("a mapping is missing")


def fields(value: object, names: set[str]) -> Mapping[str, Any]:
    """A mapping with exactly these keys."""
    found = mapping(value)
    if set(found) != names:
        raise Malformed(f"must have exactly the fields {', '.join(sorted(names))}")
    return found


def table(value: object, key: Callable[[object], str], each: Callable[[object], T]) -> dict[str, T]:
    """A mapping whose keys and values read as what they must be."""
    return {key(name): each(found) for name, found in mapping(value).items()}


def sequence(value: object) -> Sequence[Any]:
    """A list."""
    if isinstance(value, list | tuple):
        return value
    raise Malformed("a list is missing")


def flag(value: object) -> bool:
    """Exactly true or false."""
    if isinstance(value, bool):
        return value
    raise Malformed("true or false is missing")


def text(value: object) -> str:
    """A text that is not empty."""
    if isinstance(value, str) and value:
        return value
    raise Malformed("a text is missing")


def optional_text(value: object) -> str | None:
    """A text that is not empty, or nothing."""
    return None if value is None else text(value)


def digest(value: object) -> str:
    """A hex SHA-256."""
    if isinstance(value, str) and _HEX.fullmatch(value):
        return value
    raise Malformed("a SHA-256 digest is missing")


def texts(value: object) -> tuple[str, ...]:
    """A list of texts."""
    return tuple(text(each) for each in sequence(value))


def optional_digest(value: object) -> str | None:
    """A hex SHA-256, or nothing."""
    return None if value is None else digest(value)


def count(value: object) -> int:
    """A whole number that is not negative."""
    if type(value) is int and value >= 0:
        return value
    raise Malformed("a whole number is missing")


def stamp(at: datetime) -> int:
    """A time as whole microseconds since 1970, which JSON can hold exactly until 2255."""
    return (at.astimezone(UTC) - _EPOCH) // timedelta(microseconds=1)


def time(value: object) -> datetime:
    """The inverse of `stamp`."""
    try:
        return _EPOCH + timedelta(microseconds=count(value))
    except OverflowError as error:
        raise Malformed("a time is beyond the calendar") from error


def optional_time(value: object) -> datetime | None:
    """The inverse of `stamp`, or nothing."""
    return None if value is None else time(value)
