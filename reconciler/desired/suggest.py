"""The nearest known name, for people who mistype."""

import types
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from difflib import get_close_matches
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

LONGEST = 80
SHOWN = 12


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name closest to a name, if one is close. Costs little for hostile names."""
    close = get_close_matches(name[:LONGEST], list(known), n=1, cutoff=0.6)
    return close[0] if close else None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A hint: the nearest known name, or the known names."""
    names = sorted(known)
    close = nearest(name, names)
    if close is not None:
        return f"Did you mean {close}?"
    if not names:
        return "There are none."
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"Known: {', '.join(names[:SHOWN])}{more}."


def field_names(model: Any, location: Sequence[str | int]) -> list[str]:
    """Names of the fields that may stand at a place in a document.

    Args:
        model: A pydantic model or any annotation.
        location: Keys and indexes from the top to the mapping in question.
    """
    found: set[str] = set()
    for choice in _choices(model):
        if location:
            inner = _inside(choice, location[0])
            found.update(field_names(inner, location[1:]) if inner is not None else ())
        else:
            found.update(_fields(choice))
    return sorted(found)


def _choices(annotation: Any) -> list[Any]:
    """An annotation without `Annotated`, and a union as its members."""
    if get_origin(annotation) is Annotated:
        return _choices(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return [c for member in get_args(annotation) for c in _choices(member)]
    return [annotation]


def _fields(model: Any) -> dict[str, Any]:
    if isinstance(model, type) and issubclass(model, BaseModel):
        return {info.alias or name: info.annotation for name, info in model.model_fields.items()}
    if isinstance(model, type) and is_dataclass(model):
        return {field.name: field.type for field in fields(model)}
    return {}


def _inside(annotation: Any, part: str | int) -> Any:
    if isinstance(part, str) and (named := _fields(annotation)):
        return named.get(part)
    origin, args = get_origin(annotation), get_args(annotation)
    if not isinstance(origin, type) or not args:
        return None
    if issubclass(origin, Mapping):
        return args[1] if isinstance(part, str) else None
    return args[0] if isinstance(part, int) else None
