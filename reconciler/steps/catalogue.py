"""Finds every kind of step: the files beside this one, and those of installed packages.

The file name equals the id (``unit.reset_failed`` is ``unit_reset_failed.py``), so two files
cannot claim one id. A kind that cannot be loaded stops the census: a runbook with a step that
nobody knows must not be half of what it was approved as.
"""

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType

from reconciler import steps
from reconciler.errors import InputError
from reconciler.model.step import StepKind

ENTRY_POINT_GROUP = "reconciler.steps"
"""Entry points of packages outside this tree; each names a `StepKind` constant."""


@cache
def load() -> Mapping[str, StepKind]:
    """Every kind of step by id, sorted by id.

    Raises:
        InputError: A kind cannot be imported, is not a `StepKind`, has a name that does not fit
            its id, or has an id that another kind has.
    """
    found: dict[str, StepKind] = {}
    for place, kind in (*_own(), *_installed()):
        if kind.id in found:
            raise InputError(
                f"kind of step {kind.id} from {place} exists already",
                hint="Remove one of the packages that declare it, or give the kind its own id.",
            )
        found[kind.id] = kind
    return MappingProxyType(dict(sorted(found.items())))


def file_name(kind_id: str) -> str:
    """The module name that an id stands for: ``unit.start`` is ``unit_start``."""
    return kind_id.replace(".", "_")


def _own() -> Iterator[tuple[str, StepKind]]:
    for module in pkgutil.iter_modules(steps.__path__, f"{steps.__name__}."):
        if not module.ispkg and module.name != __name__:
            yield module.name, _constant(module.name)


def _constant(module: str) -> StepKind:
    kind = getattr(importlib.import_module(module), "STEP", None)
    expected = module.rpartition(".")[2]
    if not isinstance(kind, StepKind) or file_name(kind.id) != expected:
        raise InputError(
            f"{module} does not end in a STEP whose id is {expected.replace('_', '.', 1)}",
            hint="Name the file after the kind's id, with dots written as underscores.",
        )
    return kind


def _installed() -> Iterator[tuple[str, StepKind]]:
    for entry in entry_points(group=ENTRY_POINT_GROUP):
        yield f"entry point {entry.name}", _from_entry(entry)


def _from_entry(entry: EntryPoint) -> StepKind:
    """A kind of another package.

    Any error of foreign code while it is imported becomes one that names the package.
    """
    try:
        kind = entry.load()
    except Exception as problem:
        raise InputError(
            f"entry point {entry.name} ({entry.value}) cannot be loaded: {problem!r}",
            hint="Repair or uninstall the package that declares it.",
        ) from problem
    if not isinstance(kind, StepKind) or kind.id != entry.name:
        raise InputError(
            f"entry point {entry.name} ({entry.value}) is not the kind of step {entry.name}",
            hint="Name the entry point after the id of the StepKind constant it points at.",
        )
    return kind
