"""The forms that fields of a signed statement may have, each with its reader and its writer.

A writer checks; a reader only turns JSON into values, and `statements.read` writes again what it
has read. So there is one place that says what is allowed.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from itertools import pairwise
from types import MappingProxyType
from typing import Any, NamedTuple

from reconciler.errors import EvidenceError
from reconciler.evidence.canonical import MAX_INTEGER
from reconciler.evidence.signers import PRINCIPAL as _PRINCIPAL

HINT = "Statements are written by `reconciler attest` and never edited; make a new one."

_NAME = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_STORE = r"/nix/store/[0-9abcdfghijklmnpqrsvwxyz]{32}-[0-9A-Za-z+._?=-]{1,211}"
# The names that a fleet branch may have (transport.location), as one pattern.
_BRANCH = re.compile(
    r"(?!.*(?:\.\.|\.lock/|\.lock$|\.$))(?=.{1,200}$)"
    r"[A-Za-z0-9_][A-Za-z0-9._-]*(?:/[A-Za-z0-9_][A-Za-z0-9._-]*)*"
)
_TIME = "%Y-%m-%dT%H:%M:%SZ"


class Form(NamedTuple):
    """One form.

    Attributes:
        read: From a JSON value; what does not fit raises TypeError or EvidenceError.
        write: To a JSON value; what is not allowed raises EvidenceError.
    """

    read: Callable[[Any], Any]
    write: Callable[[Any], Any]


def refusal(message: str) -> EvidenceError:
    """The error of a value that is not in its form."""
    return EvidenceError(message, hint=HINT)


def text(pattern: re.Pattern[str]) -> Form:
    """A text that a pattern describes whole."""

    def write(value: Any) -> str:
        if type(value) is not str or not pattern.fullmatch(value):
            raise refusal(f"{value!r:.80} is not allowed here")
        return value

    return Form(write, write)


def optional(form: Form) -> Form:
    """The form, or null."""
    return Form(
        lambda value: None if value is None else form.read(value),
        lambda value: None if value is None else form.write(value),
    )


def several(form: Form, most: int) -> Form:
    """A list of 1 to ``most`` different values."""

    def read(value: Any) -> tuple[Any, ...]:
        if type(value) is not list:
            raise TypeError
        return tuple(map(form.read, value))

    def write(value: Any) -> list[Any]:
        written = list(map(form.write, value))
        if not 1 <= len(written) <= most or len(set(written)) != len(written):
            raise refusal(f"a list of {len(written)} is not 1 to {most} different values")
        return written

    return Form(read, write)


def number(least: int) -> Form:
    """A whole number from ``least`` on."""

    def write(value: Any) -> int:
        if type(value) is not int or not least <= value <= MAX_INTEGER:
            raise refusal(f"{value!r:.40} is not a count")
        return value

    return Form(write, write)


def ordered(form: Form, most: int, key: Callable[[Any], Any]) -> Form:
    """A list of up to ``most`` values, sorted by a key that none of them shares."""

    def read(value: Any) -> tuple[Any, ...]:
        if type(value) is not list:
            raise TypeError
        return tuple(map(form.read, value))

    def write(value: Any) -> list[Any]:
        written = list(map(form.write, value))
        keys = list(map(key, value))
        if len(written) > most or any(one >= other for one, other in pairwise(keys)):
            raise refusal(f"a list of {len(written)} is not sorted, or longer than {most}")
        return written

    return Form(read, write)


def record(
    make: Callable[..., Any],
    fields: Mapping[str, Form],
    *,
    together: Mapping[str, Form] = MappingProxyType({}),
    names: Mapping[str, str] = MappingProxyType({}),
) -> Form:
    """An object.

    Args:
        make: From its values by attribute.
        fields: Its fields, which are always there.
        together: Fields that came later: all are there, or none is and their attributes are None.
        names: Attribute of a field whose name is not that of its attribute.
    """

    def read(value: Any) -> Any:
        if type(value) is not dict:
            raise TypeError
        known = {**fields, **(together if together.keys() & value.keys() else {})}
        found = read_fields(known, value)
        return make(**{names.get(name, name): item for name, item in found.items()})

    def write(value: Any) -> dict[str, Any]:
        if value is None:
            raise refusal("an object is missing")
        held = {name: getattr(value, names.get(name, name)) for name in (*fields, *together)}
        later = any(held[name] is not None for name in together)
        known = {**fields, **(together if later else {})}
        return {name: form.write(held[name]) for name, form in known.items()}

    return Form(read, write)


def by_host(item: Form) -> Form:
    """An object from ``<client>/<host>`` to one value each."""
    host = text(re.compile(f"{_NAME}/{_NAME}"))

    def read(value: Any) -> dict[str, Any]:
        if type(value) is not dict:
            raise TypeError
        return {name: item.read(each) for name, each in value.items()}

    def write(value: Any) -> dict[str, Any]:
        return {host.write(name): item.write(each) for name, each in value.items()}

    return Form(read, write)


def read_fields(fields: Mapping[str, Form], value: Any) -> dict[str, Any]:
    """The values of an object; fields that are not known are left out."""
    return {name: form.read(value[name]) for name, form in fields.items()}


def write_fields(fields: Mapping[str, Form], holder: Any) -> dict[str, Any]:
    """The object that says what the attributes of ``holder`` are."""
    return {name: form.write(getattr(holder, name)) for name, form in fields.items()}


def _read_time(value: Any) -> datetime:
    try:
        return datetime.strptime(value, _TIME).replace(tzinfo=UTC)
    except ValueError as error:
        raise refusal(f"{value!r:.40} is not a time in UTC to the second") from error


def _write_time(value: datetime) -> str:
    if value.tzinfo is None or value.microsecond or value.year < 1970:
        raise refusal(f"{value!s:.40} is not a time with a zone, to the second, after 1970")
    return value.astimezone(UTC).strftime(_TIME)


BRANCH = text(_BRANCH)
PRINCIPAL = text(_PRINCIPAL)
STORE_PATH = text(re.compile(_STORE))
DERIVATION = text(re.compile(_STORE + r"\.drv"))
TIME = Form(_read_time, _write_time)
COUNTER = number(1)
AMOUNT = number(0)
PACKAGE = text(re.compile(r"[0-9A-Za-z+._?=-]{1,211}"))
VERSION = text(re.compile(r"[0-9A-Za-z+._?=-]{0,211}"))
