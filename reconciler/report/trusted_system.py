"""The system of a NixOS host, as people read it: which one is trusted, what waits, what changes."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from reconciler.model.system import ClosureDiff, SystemStatus, VersionChange
from reconciler.report import table

SHOWN = 12
"""Packages of a difference that are named; the JSON forms have all."""


def lines(status: SystemStatus | None) -> list[str]:
    """What a person must know of it; one line if all is well, none of any other host."""
    if status is None:
        return []
    trusted = status.trusted
    said = []
    if status.refused is not None:
        said.append(f"release refused ({status.refused}): {table.clean(status.message)}")
    if trusted is None:
        said.append("system: no release that counts names one")
    else:
        said.append(f"system: {trusted.path} ({trusted.source} of {trusted.release[:12]})")
    if trusted is not None and trusted.waiting is not None:
        said.append(f"  release of {trusted.waiting[:12]} waits: {table.clean(status.ring)}")
    elif status.ring:
        said.append(f"  a release waits: {table.clean(status.ring)}")
    return said


def planned(status: SystemStatus | None) -> list[str]:
    """How the trusted system differs from the release before; for who plans a change."""
    if status is None or status.diff is None or status.diff.since is None:
        return []
    said = [f"  {line}" for line in changes(status.diff)] or ["  no package changed"]
    return [f"  changed since {status.diff.since}:", *(f"  {line}" for line in said)]


def changes(diff: ClosureDiff) -> Iterator[str]:
    """A difference line by line; built anew is said where nothing else changed."""
    for change in diff.changes[:SHOWN]:
        yield f"{change.name} {_versions(change)}"
    left = diff.left_out + max(len(diff.changes) - SHOWN, 0)
    if left:
        yield f"{left} more"


def as_document(status: SystemStatus | None) -> dict[str, Any] | None:
    """JSON values."""
    if status is None:
        return None
    return {
        **status.to_body(),
        "trusted": None if status.trusted is None else asdict(status.trusted),
        "message": status.message,
        "ring": status.ring,
        "diff": None if status.diff is None else status.diff.to_body(),
    }


def _versions(change: VersionChange) -> str:
    if not change.before:
        return f"{_all(change.after)} comes"
    if not change.after:
        return f"{_all(change.before)} goes"
    if change.before == change.after:
        return f"{_all(change.after)} built anew"
    return f"{_all(change.before)} -> {_all(change.after)}"


def _all(versions: tuple[str, ...]) -> str:
    return ", ".join(version or "(no version)" for version in versions)
