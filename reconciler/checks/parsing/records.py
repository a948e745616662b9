"""Typed access to the JSON-like records that targets and programs answer with.

Every value is asked for by name and type; what is missing, of another type or out of range is
`Unobservable`, because a parser that skips what it does not understand reads damage as health.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.checks.parsing.shapes import MAX_INT
from reconciler.errors import Unobservable
from reconciler.model.values import exact

MAX_RECORDS = 65_536
"""More sockets, units or snapshots than any machine of a clinic has."""


@dataclass(frozen=True, slots=True)
class Record:
    """One JSON object of an answer.

    Attributes:
        what: Name of the answer, for messages.
        fields: Its content, not believed yet.
    """

    what: str
    fields: Mapping[str, Any]

    def text(self, name: str, *, limit: int = 256) -> str:
        """Text of at most ``limit`` characters.

        Raises:
            Unobservable: It is missing, longer or not text.
        """
        value = self.fields.get(name)
        if not isinstance(value, str) or len(value) > limit or not exact(value):
            raise Unobservable(f"{self.what}: {name} is not text of at most {limit} characters")
        return value

    def optional_text(self, name: str, *, limit: int = 256) -> str | None:
        """Text, or ``None`` when the answer says so; a missing name is an error.

        Raises:
            Unobservable: It is missing or of another type.
        """
        return None if self._is_null(name) else self.text(name, limit=limit)

    def whole(self, name: str, *, lowest: int = 0, highest: int = MAX_INT) -> int:
        """A whole number.

        Raises:
            Unobservable: It is missing, not a whole number, or out of range.
        """
        value = self.fields.get(name)
        if type(value) is not int or not lowest <= value <= highest:
            raise Unobservable(f"{self.what}: {name} is not a whole number within range")
        return value

    def optional_whole(self, name: str) -> int | None:
        """A whole number, or ``None`` when the answer says so; a missing name is an error.

        Raises:
            Unobservable: It is missing or of another type.
        """
        return None if self._is_null(name) else self.whole(name)

    def flag(self, name: str) -> bool:
        """True or false.

        Raises:
            Unobservable: It is missing or of another type.
        """
        value = self.fields.get(name)
        if not isinstance(value, bool):
            raise Unobservable(f"{self.what}: {name} is not true or false")
        return value

    def _is_null(self, name: str) -> bool:
        return name in self.fields and self.fields[name] is None


def from_json(text: str, what: str) -> Any:
    """A JSON value, not believed yet.

    Raises:
        Unobservable: It is not JSON, or nested beyond reason.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as problem:
        raise Unobservable(f"{what} is not JSON") from problem


def record(data: Any, what: str) -> Record:
    """One JSON object.

    Raises:
        Unobservable: It is something else.
    """
    if not isinstance(data, Mapping):
        raise Unobservable(f"{what}: the answer is not an object")
    return Record(what, data)


def records(data: Any, what: str) -> tuple[Record, ...]:
    """A list of JSON objects.

    Raises:
        Unobservable: It is something else, or longer than `MAX_RECORDS`.
    """
    return tuple(record(item, what) for item in _items(data, what))


def texts(data: Any, what: str, *, limit: int = 256) -> tuple[str, ...]:
    """A list of texts of at most ``limit`` characters each.

    Raises:
        Unobservable: It is something else, or longer than `MAX_RECORDS`.
    """
    items = _items(data, what)
    if not all(isinstance(item, str) and len(item) <= limit and exact(item) for item in items):
        raise Unobservable(f"{what}: the answer is not a list of short texts")
    return tuple(items)


def _items(data: Any, what: str) -> list[Any]:
    if not isinstance(data, list | tuple) or len(data) > MAX_RECORDS:
        raise Unobservable(f"{what}: the answer is not a list of at most {MAX_RECORDS} items")
    return list(data)
