"""Finds every check: the files beside this one, and those of installed packages.

The file name equals the id (``LNX-SSH-001`` is ``linux/lnx_ssh_001.py``), so that a person who
reads an id in evidence finds the code, and two files cannot claim one id. A check that cannot be
loaded stops the census: a catalogue with a silent hole would turn rules into "unknown check"
findings, or worse, into nothing.
"""

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType

from reconciler import checks
from reconciler.errors import InputError
from reconciler.model.check import Check

ENTRY_POINT_GROUP = "reconciler.checks"
"""Entry points of packages outside this tree; each names a `Check` constant."""

_NOT_GROUPS = frozenset({"parsing"})


@cache
def load() -> Mapping[str, Check]:
    """Every check by id, sorted by id.

    Raises:
        InputError: A check cannot be imported, is not a `Check`, has a name that does not fit
            its id, or has an id that another check has.
    """
    found: dict[str, Check] = {}
    for place, check in (*_own(), *_installed()):
        if check.id in found:
            raise InputError(
                f"check {check.id} from {place} exists already",
                hint="Remove one of the packages that declare it, or give the check its own id.",
            )
        found[check.id] = check
    return MappingProxyType(dict(sorted(found.items())))


def file_name(check_id: str) -> str:
    """The module name that a check id stands for: ``LNX-SSH-001`` is ``lnx_ssh_001``."""
    return check_id.lower().replace("-", "_")


def _own() -> Iterator[tuple[str, Check]]:
    for group in pkgutil.iter_modules(checks.__path__, f"{checks.__name__}."):
        if not group.ispkg or group.name.rpartition(".")[2] in _NOT_GROUPS:
            continue
        package = importlib.import_module(group.name)
        for module in pkgutil.iter_modules(package.__path__, f"{group.name}."):
            yield module.name, _constant(module.name)


def _constant(module: str) -> Check:
    check = getattr(importlib.import_module(module), "CHECK", None)
    expected = module.rpartition(".")[2]
    if not isinstance(check, Check) or file_name(check.id) != expected:
        raise InputError(
            f"{module} does not end in a CHECK whose id is {expected.upper().replace('_', '-')}",
            hint="Name the file after the check's id, in lower case with underscores.",
        )
    return check


def _installed() -> Iterator[tuple[str, Check]]:
    for entry in entry_points(group=ENTRY_POINT_GROUP):
        yield f"entry point {entry.name}", _from_entry(entry)


def _from_entry(entry: EntryPoint) -> Check:
    """A check of another package.

    Any error of foreign code while it is imported becomes one that names the package.
    """
    try:
        check = entry.load()
    except Exception as problem:
        raise InputError(
            f"entry point {entry.name} ({entry.value}) cannot be loaded: {problem!r}",
            hint="Repair or uninstall the package that declares it.",
        ) from problem
    if not isinstance(check, Check) or check.id != entry.name:
        raise InputError(
            f"entry point {entry.name} ({entry.value}) is not the check {entry.name}",
            hint="Name the entry point after the id of the Check constant it points at.",
        )
    return check
