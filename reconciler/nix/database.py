"""The database in which Nix keeps what its store holds: read only, one snapshot, nothing believed.

It is a file of somebody else, written by the daemon while it is read, and what stands in it goes
into evidence. So each value is held against its form, and a closure is whole or refused.

Rule 1: One open database is one snapshot (`reconciler.nix.snapshot`).
Rule 2: A value out of its form, a closure that is too large or that names a path which is not
        there: refused, never left out.
Rule 3: A closure comes one path at a time; what is held in memory is one number a path.
"""

import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from reconciler.errors import MachineError
from reconciler.nix.snapshot import COLUMNS, REPAIR, Snapshot, damaged, take
from reconciler.nix.store_path import digest_part, is_store_path

MAX_PATHS = 200_000
"""Paths of one closure; that of a desktop with everything has some 10,000."""

_MAX_SIGNATURES = 64
_MAX_NUMBER = 2**53 - 1
_HASH = re.compile(r"sha256:([0-9a-f]{64})")
_SIGNATURE = re.compile(r"[\x21-\x7e]{1,512}")
_INFO = f"SELECT {COLUMNS} FROM ValidPaths WHERE "  # noqa: S608 - constants alone
_CLOSURE = """
    WITH RECURSIVE closure(id) AS (
        VALUES (?) UNION SELECT reference FROM Refs JOIN closure ON referrer = closure.id
    )
    SELECT closure.id, path IS NULL FROM closure LEFT JOIN ValidPaths USING (id)
    ORDER BY path LIMIT ?"""
_REFERENCES = """
    SELECT path FROM Refs LEFT JOIN ValidPaths ON id = reference
    WHERE referrer = ? ORDER BY path LIMIT ?"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PathInfo:
    """What Nix knows of a path that its store holds.

    Attributes:
        path: The store path.
        nar_sha256: SHA-256 of its archive (NAR), 64 hex digits.
        nar_bytes: Size of that archive.
        deriver: Store path of the derivation that made it; ``None`` if Nix does not know.
        references: Store paths that it names, itself perhaps among them; sorted.
        registered_at: When it came into this store, seconds since 1970.
        signatures: Who vouches for it: ``<key name>:<base64>``.
    """

    path: str
    nar_sha256: str
    nar_bytes: int
    deriver: str | None
    references: tuple[str, ...]
    registered_at: int
    signatures: tuple[str, ...]


class Database:
    """An open database: use it in a ``with`` statement, and not for long.

    The daemon cannot shorten its log while somebody reads.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def __enter__(self) -> "Database":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._snapshot.close(believed=kind is None)

    def info(self, path: str) -> PathInfo | None:
        """What Nix knows of a path; ``None`` if its store does not hold it.

        Raises:
            MachineError: The database is damaged or says what cannot be.
        """
        rows = list(self._rows(f"{_INFO} path = ?", path))
        return self._info(rows[0]) if rows else None

    def content_address(self, path: str) -> str | None:
        """By which content a path is named; ``None`` if it is named by its derivation.

        Raises:
            MachineError: The database is damaged or says what cannot be.
        """
        for (value,) in self._rows("SELECT ca FROM ValidPaths WHERE path = ?", path):
            if value is not None and value != "":
                if type(value) is not str or _SIGNATURE.fullmatch(value) is None:
                    raise self._refusal(f"has a content address of {path} that is out of its form")
                return value
        return None

    def closure(self, path: str) -> Iterator[PathInfo]:
        """A path and all that it needs, by path in byte order.

        Raises:
            MachineError: It is not in the store, not whole, too large, or the database is damaged.
        """
        last = ""
        for number in self._closure_ids(path):
            (row,) = self._rows(f"{_INFO} id = ?", number)
            info = self._info(row)
            # Nix itself finds a path by its digits alone.
            if digest_part(info.path) == last:
                raise self._refusal(f"holds two paths with the digits {last}")
            last = digest_part(info.path)
            yield info

    def paths(self, path: str) -> Iterator[str]:
        """The store paths of a closure, in byte order.

        Raises:
            MachineError: As `closure`.
        """
        for number in self._closure_ids(path):
            ((found,),) = self._rows("SELECT path FROM ValidPaths WHERE id = ?", number)
            yield self._store_path(found)

    def _closure_ids(self, path: str) -> list[int]:
        first = list(self._rows(f"{_INFO} path = ?", path))
        if not first:
            raise self._refusal(
                f"does not hold {path}", hint="Give a path that `nix path-info` finds here."
            )
        found = list(self._rows(_CLOSURE, first[0][0], MAX_PATHS + 1))
        if any(missing for _, missing in found):
            raise self._refusal(f"names a path in the closure of {path} that it does not hold")
        if len(found) > MAX_PATHS:
            raise self._refusal(f"says that {path} needs more than {MAX_PATHS} paths")
        return [number for number, _ in found]

    def _rows(self, query: str, *values: object) -> Iterator[tuple[Any, ...]]:
        try:
            yield from self._snapshot.connection.execute(query, values)
        except (sqlite3.Error, OverflowError) as error:
            raise damaged(self._snapshot.file, error) from error

    def _info(self, row: tuple[Any, ...]) -> PathInfo:
        number, path, hashed, registered, deriver, size, signatures = row
        path = self._store_path(path)
        found = _HASH.fullmatch(hashed) if type(hashed) is str else None
        if found is None:
            raise self._refusal(f"has {hashed!r:.120} for the hash of {path}")
        return PathInfo(
            path=path,
            nar_sha256=found[1],
            nar_bytes=self._whole("size", size, path, least=1),
            deriver=self._deriver(deriver, path),
            references=self._references(number, path),
            registered_at=self._whole("time", registered, path, least=0),
            signatures=self._signatures(signatures, path),
        )

    def _store_path(self, value: object) -> str:
        if type(value) is not str or not is_store_path(value):
            raise self._refusal(f"holds {value!r:.120}, which is not a store path")
        return value

    def _references(self, number: int, path: str) -> tuple[str, ...]:
        found = [row[0] for row in self._rows(_REFERENCES, number, MAX_PATHS + 1)]
        if None in found or len(found) > MAX_PATHS:
            raise self._refusal(f"names references of {path} that it does not hold")
        return tuple(map(self._store_path, found))

    def _whole(self, what: str, value: object, path: str, least: int) -> int:
        if type(value) is not int or not least <= value <= _MAX_NUMBER:
            raise self._refusal(f"has {value!r:.40} for the {what} of {path}")
        return value

    def _deriver(self, value: object, path: str) -> str | None:
        if value is None or value == "":
            return None
        if type(value) is not str or not is_store_path(value):
            raise self._refusal(f"has {value!r:.120} for the deriver of {path}")
        return value

    def _signatures(self, value: object, path: str) -> tuple[str, ...]:
        words = value.split(" ") if type(value) is str and value else []
        fits = value is None or type(value) is str
        if not fits or len(words) > _MAX_SIGNATURES or not all(map(_SIGNATURE.fullmatch, words)):
            raise self._refusal(f"has signatures of {path} that are out of their form")
        return tuple(words)

    def _refusal(self, what: str, hint: str = REPAIR) -> MachineError:
        return MachineError(f"Nix database {self._snapshot.file} {what}", hint=hint)


def open_database(root: str = "/") -> Database:
    """Open the database of the store below a root.

    Args:
        root: Where ``nix/var/nix/db`` lies: ``/`` for the store of this machine.

    Raises:
        MachineError: It is not there, may not be read, has another schema or is damaged.
    """
    return Database(take(Path(root) / "nix/var/nix/db"))
