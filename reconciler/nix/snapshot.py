"""One snapshot of the file in which Nix keeps its database, while the daemon goes on writing.

Rule 1: The file is opened for reading alone. The one thing that may be written beside it is the
        index of its log, by SQLite and only where this user may.
Rule 2: What the daemon writes meanwhile is not seen.
Rule 3: Another version of the schema, other tables and a damaged page are refused. What a query
        may take is bounded, whatever stands in the file.
"""

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from reconciler.errors import MachineError

SCHEMA = "10"
"""Version of the tables that are read here; Nix 2.0 to this day."""

COLUMNS = "id, path, hash, registrationTime, deriver, narSize, sigs"
"""What is read of ``ValidPaths``."""

REPAIR = "Run `nix-store --verify` on this machine, and restore its Nix database if that fails."

_NOT_SHARED = (
    "Run this as root. A disk that is mounted read-only, of a machine that was not shut down, needs"
    " an overlay that can be written: the log cannot be read without."
)
_HINTS = {
    sqlite3.SQLITE_BUSY: "A program of Nix has it for itself: ask again when that has ended.",
    sqlite3.SQLITE_CANTOPEN: _NOT_SHARED,
    sqlite3.SQLITE_READONLY: _NOT_SHARED,
}
_FIRST_BYTE = 0xFF
"""What kind of error it is, of the codes of SQLite."""

_PATIENCE_S = 5.0
_MAX_TEXT = 64 * 1024
_STEPS_A_CALL = 100_000
_MAX_CALLS = 20_000
_SIDE_FILES = ("-wal", "-journal")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The database as it is at one moment.

    Attributes:
        file: Where it is.
        connection: In the one transaction that it is read in.
        frozen: What the file was when it was opened without its log; empty if it has one.
    """

    file: Path
    connection: sqlite3.Connection
    frozen: tuple[int, ...]

    def close(self, *, believed: bool) -> None:
        """Let go of it.

        Args:
            believed: Whether what was read is to be used.

        Raises:
            MachineError: It was written to while it was read without its log.
        """
        self.connection.close()
        if believed and self.frozen and _identity(self.file) != self.frozen:
            raise MachineError(
                f"Nix database {self.file} was written to while it was read",
                hint="Ask again; where it stays so, let this user write beside the database.",
            )


def take(folder: Path) -> Snapshot:
    """A snapshot of the database in a folder.

    Args:
        folder: Where ``db.sqlite`` and ``schema`` are.

    Raises:
        MachineError: It is not there, may not be read, has another schema or is damaged.
    """
    _require_schema(folder / "schema")
    file = folder / "db.sqlite"
    try:
        return _opened(file)
    except (sqlite3.Error, OSError) as error:
        raise damaged(file, error) from error


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
        raise damaged(file, error) from error
    if found != SCHEMA:
        raise MachineError(
            f"Nix database {file.parent} has schema {found!r:.40}, not {SCHEMA}",
            hint="Use a version of this program that knows the Nix on this machine.",
        )


def _opened(file: Path) -> Snapshot:
    before = _identity(file)
    try:
        return Snapshot(file, _connect(file, "ro"), ())
    except sqlite3.OperationalError:
        # Where the log's index may neither be read nor made, SQLite cannot share the file. Then
        # nobody writes now (there is no log), and that nobody did is looked at in the end.
        if any(_size(file, side) for side in _SIDE_FILES):
            raise
        return Snapshot(file, _connect(file, "ro&immutable=1"), before)


def _connect(file: Path, mode: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{file.absolute().as_uri()}?mode={mode}", uri=True, timeout=_PATIENCE_S
    )
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
    connection.execute(f"SELECT {COLUMNS} FROM ValidPaths WHERE 0")  # noqa: S608 - a constant
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
    try:
        return file.with_name(file.name + side).stat().st_size
    except FileNotFoundError:
        return 0


def damaged(file: Path, error: Exception) -> MachineError:
    """The error of a database that cannot be read."""
    if isinstance(error, PermissionError):
        return MachineError(
            f"Nix database {file} may not be read: {error.strerror}",
            hint="Run this as root, or as a user that may read the Nix database.",
        )
    said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    hint = _HINTS.get(getattr(error, "sqlite_errorcode", 0) & _FIRST_BYTE, REPAIR)
    return MachineError(f"Nix database {file} cannot be read: {said:.200}", hint=hint)
