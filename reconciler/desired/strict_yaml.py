"""Strict YAML: one document, plain data, every value with its place in the file.

What comes in is hostile until it is proven otherwise. Refused, each with the line:

- more than 256 KiB (before anything is parsed), not UTF-8, a byte order mark, tabs, control
  characters, and characters that make text read differently from what it is (CVE-2021-42574);
- anchors, aliases and merge keys (so neither bombs nor cycles can be written), tags, directives,
  a second document;
- duplicate keys, keys that are not text, floats, and spellings that readers disagree on;
- more than 32 levels or 20,000 nodes.

libyaml's parser is used where PyYAML has it (8 to 10 times faster), the pure one elsewhere; both
only as a source of events, which are composed here.
"""

import re
from collections.abc import Iterator
from typing import Any, NoReturn, Protocol

import yaml

from reconciler.desired.page import Page, Path, Place, Plain, dotted
from reconciler.desired.validation import validate
from reconciler.desired.yaml_scalars import plain
from reconciler.errors import InputError, Where
from reconciler.model.values import Scalar

__all__ = ["MAX_BYTES", "MAX_DEPTH", "MAX_NODES", "compose", "load", "validate"]

MAX_BYTES = 256 * 1024
MAX_DEPTH = 32
MAX_NODES = 20_000

_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"
    "\ud800-\udfff\ufeff\ufffe\uffff]"
)


class _Events(Protocol):
    def get_event(self) -> Any: ...


def load(data: bytes, file: str, *, limit: int = MAX_BYTES) -> Page:
    """Load one YAML document.

    Args:
        data: The file's bytes.
        file: Name to use in messages.
        limit: Longest file allowed, bytes.

    Raises:
        InputError: The bytes are not strict YAML; names the line and, where known, the field.
    """
    text = _text(data, file, limit)
    parser: Any = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
    return compose(parser(text), file)


def compose(events: _Events, file: str) -> Page:
    """Compose one document from parser events.

    Raises:
        InputError: As `load`.
    """
    composer = _Composer(events, file)
    try:
        value = composer.document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reason = error.problem or error.context or "cannot be parsed"
        raise InputError(
            f"is not YAML: {reason}",
            hint="Quote text that holds ': ' or ' #', or starts with one of []{}&*!|>%@`.",
            where=Where(file, mark.line + 1 if mark else None),
        ) from error
    except yaml.YAMLError as error:
        raise InputError(
            "is not YAML: cannot be read", hint="Save the file as UTF-8 text.", where=Where(file)
        ) from error
    return Page(file, value, composer.places)


def _text(data: bytes, file: str, limit: int) -> str:
    if len(data) > limit:
        raise InputError(
            f"is larger than {limit // 1024} KiB",
            hint="Split it; no file of a fleet needs to be that long.",
            where=Where(file),
        )
    if data.startswith(_MARKS):
        raise InputError(
            "starts with a byte order mark",
            hint="Save the file as UTF-8 without a byte order mark.",
            where=Where(file, 1),
        )
    try:
        text = data.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise InputError(
            "is not UTF-8",
            hint="Save the file as UTF-8.",
            where=Where(file, data.count(b"\n", 0, error.start) + 1),
        ) from error
    _refuse_characters(text, file)
    return text


def _refuse_characters(text: str, file: str) -> None:
    tab = text.find("\t")
    if tab >= 0:
        raise InputError(
            "holds a tab",
            hint='Indent with spaces; inside double quotes a tab is written "\\t".',
            where=Where(file, text.count("\n", 0, tab) + 1),
        )
    found = _FORBIDDEN.search(text)
    if found:
        raise InputError(
            f"holds the character U+{ord(found.group()):04X}",
            hint="Remove control characters and marks that change the direction of text.",
            where=Where(file, text.count("\n", 0, found.start()) + 1),
        )


class _Composer:
    """Events to plain data. Depth is bounded before recursion, so the stack is too."""

    def __init__(self, events: _Events, file: str) -> None:
        self._events = events
        self._file = file
        self._nodes = 0
        self.places: dict[Path, Place] = {}

    def document(self) -> Plain:
        self._events.get_event()
        start = self._events.get_event()
        if isinstance(start, yaml.StreamEndEvent):
            raise InputError("is empty", hint="Write the document.", where=Where(self._file))
        if start.version or start.tags:
            self._refuse(start, (), "directives (%YAML, %TAG) are not allowed", "Remove the line.")
        value = self._node((), self._events.get_event())
        self._events.get_event()
        following = self._events.get_event()
        if not isinstance(following, yaml.StreamEndEvent):
            self._refuse(following, (), "holds more than one document", "One document a file.")
        return value

    def _node(self, path: Path, event: Any) -> Plain:
        self.places.setdefault(path, _place(event))
        self._admit(path, event)
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(path, event)
        if isinstance(event, yaml.SequenceStartEvent):
            return tuple(
                self._node((*path, index), item) for index, item in enumerate(self._items())
            )
        return self._mapping(path)

    def _items(self) -> Iterator[Any]:
        while not isinstance(event := self._events.get_event(), yaml.CollectionEndEvent):
            yield event

    def _mapping(self, path: Path) -> dict[str, Plain]:
        value: dict[str, Plain] = {}
        for event in self._items():
            key = self._key(path, event)
            inside = (*path, key)
            if key in value:
                first = self.places[inside].line
                self._refuse(
                    event, inside, f"is written twice (first in line {first})", "Remove one."
                )
            self.places[inside] = _place(event)
            value[key] = self._node(inside, self._events.get_event())
        return value

    def _key(self, path: Path, event: Any) -> str:
        self._admit(path, event)
        key = self._scalar(path, event) if isinstance(event, yaml.ScalarEvent) else None
        if not isinstance(key, str):
            self._refuse(event, path, "holds a key that is not text", "Put the key in quotes.")
        if key == "<<":
            self._refuse(event, path, "merge keys (<<) are not allowed", "Write the fields out.")
        return key

    def _scalar(self, path: Path, event: Any) -> Scalar | None:
        text: str = event.value
        if not event.implicit[0]:
            found = _FORBIDDEN.search(text)
            if found:
                message = f"holds the character U+{ord(found.group()):04X}"
                self._refuse(event, path, message, "Remove the escape.")
            return text
        try:
            return plain(text)
        except ValueError as error:
            self._refuse(event, path, str(error), "Only true, false, null and integers are typed.")

    def _admit(self, path: Path, event: Any) -> None:
        self._nodes += 1
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            self._refuse(event, path, "anchors and aliases are not allowed", "Write the value out.")
        if event.tag is not None:
            self._refuse(event, path, f"the tag {event.tag[:40]} is not allowed", "Remove it.")
        if len(path) > MAX_DEPTH:
            self._refuse(
                event, path[:3], f"is nested deeper than {MAX_DEPTH} levels", "Flatten it."
            )
        if self._nodes > MAX_NODES:
            self._refuse(event, path, f"holds more than {MAX_NODES:,} values", "Split the file.")

    def _refuse(self, event: Any, path: Path, message: str, hint: str) -> NoReturn:
        place = Where(self._file, _place(event).line, dotted(path) or None)
        raise InputError(message, hint=hint, where=place)


def _place(event: Any) -> Place:
    return Place(event.start_mark.line + 1, event.start_mark.column + 1)
