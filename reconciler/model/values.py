"""The closed set of values that observations, expectations and evidence are made of.

No floats: a float has no canonical form that every verifier agrees on (RFC 8785 section 3.2.2.3),
so quantities carry their unit in the field name: ``offset_us``, ``free_percent``.
"""

from collections.abc import Mapping
from typing import Literal

Scalar = bool | int | str
"""One typed value."""

Value = Scalar | tuple[Scalar, ...] | None
"""What a check may report for a field; ``None`` means "looked, and there is none"."""

Kind = Literal["bool", "int", "str", "list[str]", "list[int]"]
"""The type of a field or of a parameter."""

Params = Mapping[str, Value]
"""Typed parameters of a check, a step or a runbook, already validated."""


def kind_of(value: Value) -> Kind | None:
    """The kind of a value; ``None`` for the absent value and for a mixed list.

    An empty list has the kind ``list[str]``; `fits` accepts it for either list kind.
    """
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int"
    if isinstance(value, str):
        return "str"
    if isinstance(value, tuple):
        if all(isinstance(item, str) for item in value):
            return "list[str]"
        if all(isinstance(item, int) and not isinstance(item, bool) for item in value):
            return "list[int]"
    return None


def fits(value: Value, kind: Kind) -> bool:
    """Whether a value is of a kind. The absent value fits none."""
    if value == ():
        return kind.startswith("list")
    return kind_of(value) == kind


LONGEST_REASON = 1000


def exact(value: Value) -> bool:
    """Whether a value has one canonical form: no lone surrogates, no number beyond 2^53.

    Source: RFC 8785 sections 3.2.2.2 and 3.2.2.3, RFC 7493 section 2.
    """
    if isinstance(value, tuple):
        return all(exact(item) for item in value)
    if isinstance(value, str):
        return value.isascii() or not any("\ud800" <= char <= "\udfff" for char in value)
    return not isinstance(value, int) or abs(value) < 2**53


def plain(text: str) -> str:
    """A reason as it may stand in evidence: bytes that were no text are spelt out, and it ends.

    A machine's words must not be able to keep a run from being recorded.
    """
    spelt = text if exact(text) else text.encode("utf-8", "backslashreplace").decode()
    return spelt if len(spelt) <= LONGEST_REASON else spelt[: LONGEST_REASON - 1] + "…"
