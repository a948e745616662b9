"""``{ref: host.accounts}`` and ``{ref: item.path}``: which there are, their types and values."""

import types
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Annotated, Any, Union, get_args, get_origin

from reconciler.model.document import Document
from reconciler.model.host import Backup, Certificate, Declares, Host, Mount, SecretFile, Unit
from reconciler.model.rule import ListName
from reconciler.model.values import Kind, Value

ITEMS: Mapping[ListName, type[Document]] = {
    "units": Unit,
    "certificates": Certificate,
    "backups": Backup,
    "secret_files": SecretFile,
    "mounts": Mount,
}
"""What a rule's ``for_each`` may name, and what each item is."""

Item = Unit | Certificate | Backup | SecretFile | Mount

_SCALARS: Mapping[Any, Kind] = {bool: "bool", int: "int", str: "str"}
_LISTS: Mapping[Any, Kind] = {int: "list[int]", str: "list[str]"}


@dataclass(frozen=True, slots=True)
class Typed:
    """The type of a value.

    Attributes:
        optional: Whether there may be none.
    """

    kind: Kind
    optional: bool = False


@cache
def references(for_each: ListName | None) -> Mapping[str, Typed]:
    """Every reference that a rule may make, with its type."""
    known = {"host.id": Typed("str")} | _typed("host", Declares)
    return MappingProxyType(known | _typed("item", ITEMS[for_each]) if for_each else known)


def values(host: Host, item: Item | None) -> dict[str, Value]:
    """The value of every reference, for one host and one item of its lists."""
    known: dict[str, Value] = {
        ref: host.fact(ref.removeprefix("host.")) for ref in references(None)
    }
    if item is not None:
        known |= {
            ref: getattr(item, ref.removeprefix("item.")) for ref in _typed("item", type(item))
        }
    return known


def items(host: Host, for_each: ListName) -> tuple[Item, ...]:
    """What the host declares under that name."""
    declared: tuple[Item, ...] = getattr(host.declares, for_each)
    return declared


def label(item: Item) -> str:
    """The name of an item in findings: ``certificate-valid[portal]``."""
    return item.job if isinstance(item, Backup) else item.name


def _typed(prefix: str, model: type[Document]) -> dict[str, Typed]:
    found = {name: _type_of(info.annotation) for name, info in model.model_fields.items()}
    return {f"{prefix}.{name}": typed for name, typed in found.items() if typed is not None}


def _type_of(annotation: Any) -> Typed | None:
    """The type that an annotation stands for; ``None`` for what is no single value."""
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type_of(args[0])
    if origin in (Union, types.UnionType):
        inner = [_type_of(arg) for arg in args if arg is not types.NoneType]
        return Typed(inner[0].kind, optional=True) if len(inner) == 1 and inner[0] else None
    if origin is tuple:
        item = _type_of(args[0])
        return Typed(_LISTS[_python(item.kind)]) if item and item.kind in {"int", "str"} else None
    kind = _SCALARS.get(annotation)
    return Typed(kind) if kind else None


def _python(kind: Kind) -> type:
    return int if kind == "int" else str
