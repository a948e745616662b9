r"""A closure as one digest, and what differs between two: by package and version, as people say it.

The digest is over what stock Nix prints, so anybody can reckon it again::

    nix-store -qR P | LC_ALL=C sort |
    while read p; do printf '%s %s\n' "$p" "$(nix-store -q --hash $p)"; done | sha256sum

A release signs it: a system that is made of other bytes has another digest, whoever signed its
parts.
"""

import hashlib
from collections.abc import Iterable

from reconciler.errors import MachineError
from reconciler.model.system import (
    MAX_CHANGES,
    MAX_VERSIONS,
    Closure,
    ClosureDiff,
    VersionChange,
)
from reconciler.nix import base32
from reconciler.nix.database import PathInfo
from reconciler.nix.store_path import package


def digest(infos: Iterable[PathInfo]) -> str:
    """The digest of a closure: 64 hex digits.

    Args:
        infos: Its paths in byte order (`reconciler.nix.database.Database.closure`).

    Raises:
        MachineError: They are not in order.
    """
    return measure(infos).sha256


def measure(infos: Iterable[PathInfo]) -> Closure:
    """A closure in three numbers, in one pass.

    Args:
        infos: Its paths in byte order.

    Raises:
        MachineError: They are not in order.
    """
    whole = hashlib.sha256()
    count = total = 0
    last = ""
    for info in infos:
        if info.path <= last:
            raise MachineError(
                "paths of a closure are not in order", hint="Read them from the Nix database."
            )
        last = info.path
        hashed = base32.encode(bytes.fromhex(info.nar_sha256))
        whole.update(f"{info.path} sha256:{hashed}\n".encode("ascii"))
        count += 1
        total += info.nar_bytes
    return Closure(count, total, whole.hexdigest())


def diff(before: Iterable[str], after: Iterable[str], *, since: str | None) -> ClosureDiff:
    """What differs between two closures: packages of which any path does.

    Where there are more than can be named, packages that were only built anew (the same versions
    on both sides) are left out first.

    Args:
        before: Store paths of the first (`reconciler.nix.database.Database.paths`).
        after: Store paths of the second.
        since: Store path of the first system; ``None`` if there was none.
    """
    old, new = set(before), set(after)
    names = {package(path).name for path in old ^ new}
    old_versions, new_versions = _versions(old, names), _versions(new, names)
    changes = [
        VersionChange(name, old_versions.get(name, ()), new_versions.get(name, ()))
        for name in names
    ]
    changes.sort(key=lambda change: (change.before == change.after, change.name))
    named = sorted(changes[:MAX_CHANGES], key=lambda change: change.name)
    hidden = sum(
        max(len(side) - MAX_VERSIONS, 0) for one in named for side in (one.before, one.after)
    )
    return ClosureDiff(since, tuple(map(_bounded, named)), len(changes) - len(named) + hidden)


def _versions(paths: Iterable[str], names: set[str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, set[str]] = {}
    for path in paths:
        parsed = package(path)
        if parsed.name in names:
            found.setdefault(parsed.name, set()).add(parsed.version)
    return {name: tuple(sorted(versions)) for name, versions in found.items()}


def _bounded(change: VersionChange) -> VersionChange:
    return VersionChange(change.name, change.before[:MAX_VERSIONS], change.after[:MAX_VERSIONS])
