"""The database in which Nix keeps what its store holds: read only, one snapshot, nothing believed.

It is a file of somebody else, written by the daemon while it is read, and what stands in it goes
into evidence. So each value is held against its form, and a closure is whole or refused.

Rule 1: The file is opened for reading alone. The one thing that may be written beside it is the
        index of its log, by SQLite and only where this user may.
Rule 2: One connection is one snapshot: what the daemon writes meanwhile is not seen.
Rule 3: Another version of the schema, a damaged page, a value out of its form, a closure that is
        too large or that names a path which is not there: refused, never left out.
Rule 4: A closure comes one path at a time; what is held in memory is one number a path.
"""

import re
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from reconciler.errors import MachineError
from reconciler.nix.store_path import is_store_path

SCHEMA = "10"
"""Version of the tables that are read here; Nix 2.0 to this day."""

MAX_PATHS = 200_000
"""Paths of one closure; that of a desktop with everything has some 10,000."""

_MAX_TEXT = 64 * 1024
_MAX_SIGNATURES = 64
_MAX_NUMBER = 2**53 - 1
_STEPS_A_CALL = 100_000
_MAX_CALLS = 20_000
_HASH = re.compile(r"sha256:([0-9a-f]{64})")
_SIGNATURE = re.compile(r"[\x21-\x7e]{1,512}")
_SIDE_FILES = ("-wal", "-journal")
_REPAIR = "Run `nix-store --verify` on this machine, and restore its Nix database if that fails."
_INFO = "SELECT id, path, hash, registrationTime, deriver, narSize, sigs FROM ValidPaths WHERE "
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

    def __init__(self, file: Path, connection: sqlite3.Connection, frozen: Sequence[int]) -> None:
        self._file = file
        self._connection = connection
        self._frozen = frozen

    def __enter__(self) -> "Database":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._connection.close()
        if kind is None and self._frozen and _identity(self._file) != self._frozen:
            raise MachineError(
                f"Nix database {self._file} was written to while it was read",
                hint="Ask again; where it stays so, let this user write beside the database.",
            )

    def info(self, path: str) -> PathInfo | None:
        """What Nix knows of a path; ``None`` if its store does not hold it.

        Raises:
            MachineError: The database is damaged or says what cannot be.
        """
        rows = list(self._rows(f"{_INFO} path = ?", path))
        return self._info(rows[0]) if rows else None

    def closure(self, path: str) -> Iterator[PathInfo]:
        """A path and all that it needs, by path in byte order.

        Raises:
            MachineError: It is not in the store, not whole, too large, or the database is damaged.
        """
        for number in self._closure_ids(path):
            (row,) = self._rows(f"{_INFO} id = ?", number)
            yield self._info(row)

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
            yield from self._connection.execute(query, values)
        except (sqlite3.Error, OverflowError) as error:
            raise _damaged(self._file, error) from error

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

    def _refusal(self, what: str, hint: str = _REPAIR) -> MachineError:
        return MachineError(f"Nix database {self._file} {what}", hint=hint)


def open_database(root: str = "/") -> Database:
    """Open the database of the store below a root.

    Args:
        root: Where ``nix/var/nix/db`` lies: ``/`` for the store of this machine.

    Raises:
        MachineError: It is not there, may not be read, has another schema or is damaged.
    """
    folder = Path(root) / "nix/var/nix/db"
    _require_schema(folder / "schema")
    file = folder / "db.sqlite"
    try:
        return _opened(file)
    except (sqlite3.Error, OSError) as error:
        raise _damaged(file, error) from error


def _require_schema(file: Path) -> None:
    try:
        with file.open("rb") as stream:
            found = stream.read(32).decode("ascii", "replace").strip()
    except FileNotFoundError as error:
        raise MachineError(
            f"there is no Nix database at {file.parent}",
            hint="Run this on a machine with Nix, or name the root that its store lies under.",
        ) from error
    except OSError as error:
        raise _damaged(file, error) from error
    if found != SCHEMA:
        raise MachineError(
            f"Nix database {file.parent} has schema {found!r:.40}, not {SCHEMA}",
            hint="Use a version of this program that knows the Nix on this machine.",
        )


def _opened(file: Path) -> Database:
    before = _identity(file)
    try:
        return Database(file, _connect(file, "ro"), ())
    except sqlite3.OperationalError:
        # Where the log's index may neither be read nor made, SQLite cannot share the file. Then
        # nobody writes now (there is no log), and that nobody did is looked at in the end.
        if any(
            file.with_name(file.name + side).exists() and _size(file, side) for side in _SIDE_FILES
        ):
            raise
        return Database(file, _connect(file, "ro&immutable=1"), before)


def _connect(file: Path, mode: str) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{file.absolute().as_uri()}?mode={mode}", uri=True, timeout=5)
    try:
        connection.isolation_level = None
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MAX_TEXT)
        connection.set_progress_handler(_Steps(), _STEPS_A_CALL)
        for setting in ("query_only=ON", "trusted_schema=OFF", "cell_size_check=ON"):
            connection.execute(f"PRAGMA {setting}")
        connection.execute("BEGIN")
        _require_tables(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _require_tables(connection: sqlite3.Connection) -> None:
    """Real tables with the columns that are read; also takes the snapshot."""
    query = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name IN (?, ?)"
    (found,) = connection.execute(query, ("ValidPaths", "Refs")).fetchone()
    if found != 2:
        raise sqlite3.DatabaseError("it does not have the tables ValidPaths and Refs")
    connection.execute(f"{_INFO} 0")
    connection.execute("SELECT referrer, reference FROM Refs WHERE 0")


class _Steps:
    """Ends a query that takes more steps than any closure needs."""

    def __init__(self) -> None:
        self._calls = 0

    def __call__(self) -> bool:
        self._calls += 1
        return self._calls > _MAX_CALLS


def _identity(file: Path) -> tuple[int, ...]:
    facts = file.stat()
    return (facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns)


def _size(file: Path, side: str) -> int:
    return file.with_name(file.name + side).stat().st_size


def _damaged(file: Path, error: Exception) -> MachineError:
    if isinstance(error, PermissionError):
        return MachineError(
            f"Nix database {file} may not be read: {error.strerror}",
            hint="Run this as root, or as a user that may read the Nix database.",
        )
    return MachineError(f"Nix database {file} cannot be read: {error!s:.200}", hint=_REPAIR)
