r"""A closure as one digest, and what differs between two: by package and version, as people say it.

The digest is over what stock Nix prints, so anybody can reckon it again::

    nix-store -qR P | LC_ALL=C sort |
    while read p; do printf '%s %s\n' "$p" "$(nix-store -q --hash $p)"; done | sha256sum

A release signs it: a system that is made of other bytes has another digest, whoever signed its
parts.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from reconciler.errors import MachineError
from reconciler.nix import base32
from reconciler.nix.database import PathInfo
from reconciler.nix.store_path import package

MAX_CHANGES = 64
"""Changes that a difference names; the rest is counted."""

MAX_VERSIONS = 8
"""Versions of one package that a difference names."""


@dataclass(frozen=True, slots=True)
class Summary:
    """A closure in three numbers.

    Attributes:
        paths: How many store paths.
        nar_bytes: Size of all their archives.
        sha256: Digest of their names and hashes, 64 hex digits.
    """

    paths: int
    nar_bytes: int
    sha256: str

    def to_json(self) -> dict[str, Any]:
        """As a release and an entry of the ledger say it."""
        return {"paths": self.paths, "nar_bytes": self.nar_bytes, "sha256": self.sha256}


@dataclass(frozen=True, slots=True, order=True)
class Change:
    """A package that is not the same in two closures.

    Attributes:
        name: Of the package.
        before: Its versions in the first, sorted, at most `MAX_VERSIONS`; empty if it is new. A
            version that is empty stands for a package without one.
        after: Its versions in the second; empty if it is gone. The same as before where it was
            only built anew.
    """

    name: str
    before: tuple[str, ...]
    after: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Diff:
    """What differs between two closures.

    Attributes:
        changes: By name; at most `MAX_CHANGES`.
        left_out: How many more there are.
    """

    changes: tuple[Change, ...]
    left_out: int

    def to_json(self) -> dict[str, Any]:
        """As a release and an entry of the ledger say it, without the path it began from."""
        return {
            "changes": [
                {"name": one.name, "before": list(one.before), "after": list(one.after)}
                for one in self.changes
            ],
            "left_out": self.left_out,
        }


def digest(infos: Iterable[PathInfo]) -> str:
    """The digest of a closure: 64 hex digits.

    Args:
        infos: Its paths in byte order (`reconciler.nix.database.Database.closure`).

    Raises:
        MachineError: They are not in order.
    """
    return summary(infos).sha256


def summary(infos: Iterable[PathInfo]) -> Summary:
    """A closure in three numbers.

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
    return Summary(count, total, whole.hexdigest())


def diff(before: Iterable[str], after: Iterable[str]) -> Diff:
    """What differs between two closures: packages of which any path does.

    Where there are more than can be named, packages that were only built anew are left out first.

    Args:
        before: Store paths of the first (`reconciler.nix.database.Database.paths`).
        after: Store paths of the second.
    """
    old, new = set(before), set(after)
    names = {package(path).name for path in old ^ new}
    old_versions, new_versions = _versions(old), _versions(new)
    changes = [
        Change(name, old_versions.get(name, ()), new_versions.get(name, ())) for name in names
    ]
    changes.sort(key=lambda change: (change.before == change.after, change.name))
    return Diff(tuple(sorted(changes[:MAX_CHANGES])), max(len(changes) - MAX_CHANGES, 0))


def _versions(paths: Iterable[str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, set[str]] = {}
    for path in paths:
        parsed = package(path)
        found.setdefault(parsed.name, set()).add(parsed.version)
    return {name: tuple(sorted(versions)[:MAX_VERSIONS]) for name, versions in found.items()}
