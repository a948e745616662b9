"""One loaded YAML file: plain data, and the place of every value in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.errors import Where

Path = tuple[str | int, ...]
"""Keys and indexes from the top of a document to a value."""

Plain = Any
"""``Scalar | None | tuple[Plain, ...] | dict[str, Plain]``; lists are tuples, as in the model."""


@dataclass(frozen=True, slots=True)
class Place:
    """1-based line and column."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Page:
    """One file, loaded.

    Attributes:
        file: As it was given.
        value: Plain data.
        places: Where each value is; for a field, where its key is.
    """

    file: str
    value: Plain
    places: Mapping[Path, Place]

    def where(self, path: Path = ()) -> Where:
        """The place of a value, or of the nearest thing around it that is in the file."""
        known = path
        while known and known not in self.places:
            known = known[:-1]
        place = self.places.get(known)
        return Where(self.file, place.line if place else None, dotted(path) or None)


def dotted(path: Path) -> str:
    """``remedy.params.unit``, ``rules[3]``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")
