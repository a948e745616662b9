"""Finds every drift: the YAML files beside this one, and those of a fleet."""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

from reconciler.desired.strict_yaml import load as load_yaml
from reconciler.desired.validation import validate
from reconciler.errors import InputError, Where
from reconciler.testing.drifts.drift import Drift, DriftFile, RehearsalFile

FOLDER = "rehearsals"
"""Where a fleet repository has its own."""


@cache
def load() -> Mapping[str, Drift]:
    """Every drift by id, in the order of files and of what stands in them.

    Raises:
        InputError: Two have one id.
    """
    found: dict[str, Drift] = {}
    for drift in _own():
        if drift.id in found:
            raise InputError(f"drift {drift.id} exists twice", hint="Give one another id.")
        found[drift.id] = drift
    return MappingProxyType(found)


def of_fleet(fleet: Path) -> tuple[RehearsalFile, ...]:
    """What a fleet repository wants to rehearse of its own, sorted by file.

    Raises:
        InputError: A file is no rehearsal, or its name is not its runbook's.
    """
    files = sorted((fleet / FOLDER).glob("*.yaml"))
    return tuple(_read(file, f"{FOLDER}/{file.name}") for file in files)


def _read(file: Path, name: str) -> RehearsalFile:
    read = validate(load_yaml(file.read_bytes(), name), RehearsalFile)
    if file.stem != read.runbook:
        raise InputError(
            f"the file of {read.runbook} has another name",
            hint=f"Call it {FOLDER}/{read.runbook}.yaml.",
            where=Where(name),
        )
    return read


def _own() -> Iterator[Drift]:
    for file in sorted(Path(__file__).parent.glob("*.yaml")):
        yield from validate(load_yaml(file.read_bytes(), file.name), DriftFile).drifts
