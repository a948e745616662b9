"""The file of the derived index: opened as hostile, made anew when it is not ours or not whole.

Rule 1: It is never a source of truth: it can be deleted at any time, and every answer from it
        names entry, commit and file.
Rule 2: A file that is not an index of ours is not touched.
"""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reconciler.errors import Busy, InputError, MachineError, Where
from reconciler.ledger.durable import on_disk

APPLICATION = 0x52434958
FORMAT = 1
"""Changes whenever an older index would answer differently; of another format, it is made anew."""

QUERY_SECONDS = 10.0
PATIENCE_MS = 5000
"""How long to wait for somebody else who builds the same index."""
_HEADER = b"SQLite format 3\x00"
_SCHEMA = f"""
PRAGMA application_id = {APPLICATION};
PRAGMA user_version = {FORMAT};
CREATE TABLE branch (
  id INTEGER PRIMARY KEY, ref TEXT NOT NULL UNIQUE, trust TEXT NOT NULL,
  seq INTEGER NOT NULL, tip TEXT NOT NULL, digest TEXT NOT NULL,
  newest_run INTEGER, newest_full INTEGER
) STRICT;
CREATE TABLE entry (
  branch INTEGER NOT NULL, seq INTEGER NOT NULL, at TEXT NOT NULL, kind TEXT NOT NULL,
  oid BLOB NOT NULL, digest BLOB NOT NULL, path TEXT, repeats INTEGER,
  PRIMARY KEY (branch, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX entry_at ON entry (at, seq);
CREATE INDEX entry_branch ON entry (branch, at, seq);
CREATE INDEX entry_kind ON entry (kind, at, seq);
CREATE INDEX entry_oid ON entry (oid);
CREATE TABLE mention (
  id INTEGER PRIMARY KEY, branch INTEGER NOT NULL,
  seq INTEGER NOT NULL, at TEXT NOT NULL, last INTEGER NOT NULL, last_at TEXT NOT NULL,
  runs INTEGER, about TEXT NOT NULL, rule TEXT, status TEXT NOT NULL, action TEXT,
  closes INTEGER, annotates INTEGER, detail TEXT NOT NULL, same TEXT
) STRICT;
CREATE INDEX mention_seq ON mention (seq, branch);
CREATE INDEX mention_last ON mention (branch, last);
CREATE INDEX mention_rule ON mention (rule);
CREATE INDEX mention_status ON mention (status);
CREATE INDEX mention_closes ON mention (closes) WHERE closes IS NOT NULL;
CREATE INDEX mention_action ON mention (action) WHERE action IS NOT NULL;
CREATE INDEX mention_annotates ON mention (branch, annotates) WHERE annotates IS NOT NULL;
CREATE TABLE control (
  name TEXT NOT NULL, mention INTEGER NOT NULL, PRIMARY KEY (name, mention)
) STRICT, WITHOUT ROWID;
CREATE INDEX control_mention ON control (mention);
"""


@contextmanager
def connected(path: Path) -> Iterator[sqlite3.Connection]:
    """An open index, empty if there was none of this format.

    Args:
        path: Its file; directories on the way are made.

    Raises:
        InputError: The file is something else.
        MachineError: It cannot be read or written, or it is broken.
    """
    _check_ours(path)
    with on_disk(path):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
    with sound(path):
        connection = sqlite3.connect(path, isolation_level=None)
        try:
            _prepare(connection)
            yield connection
        finally:
            connection.close()


@contextmanager
def sound(path: Path) -> Iterator[None]:
    """Turn what SQLite refuses into an error that says what to do.

    Raises:
        Busy: Somebody else is building it.
        MachineError: Broken, full, or a query that takes too long.
    """
    try:
        yield
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY:
            hint = "Another command is building it; ask again in a moment."
            raise Busy(f"index {path} is in use", hint=hint) from error
        hint = f"It is derived: delete {path} and ask again; narrow a query that takes too long."
        raise MachineError(f"index {path}: {error}", hint=hint) from error


@contextmanager
def limited(connection: sqlite3.Connection, seconds: float = QUERY_SECONDS) -> Iterator[None]:
    """Interrupt what takes longer than so many seconds."""
    deadline = time.monotonic() + seconds
    connection.set_progress_handler(lambda: time.monotonic() > deadline, 100_000)
    try:
        yield
    finally:
        connection.set_progress_handler(None, 0)


def _check_ours(path: Path) -> None:
    """Refuse to write into a file that is neither empty nor an index of ours."""
    try:
        with path.open("rb") as file:
            head = file.read(100)
    except FileNotFoundError:
        return
    except OSError as error:
        hint = "Choose another file: --index FILE."
        raise MachineError(f"index {path}: {error.strerror}", hint=hint) from error
    ours = head[:16] == _HEADER and int.from_bytes(head[68:72], "big") == APPLICATION
    if head and not ours:
        hint = "Choose another file: --index FILE."
        raise InputError("is not an index of ours", hint=hint, where=Where(str(path)))


def _prepare(connection: sqlite3.Connection) -> None:
    # What somebody prepared must not run: no functions from the schema, no memory-mapped damage.
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA mmap_size = 0")
    connection.execute("PRAGMA cell_size_check = ON")
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.execute(f"PRAGMA busy_timeout = {PATIENCE_MS}")
    connection.execute("BEGIN IMMEDIATE")
    found = connection.execute("PRAGMA user_version").fetchone()[0]
    if found == FORMAT:
        connection.execute("COMMIT")
        return
    names = connection.execute(
        "SELECT type, name FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' AND type = 'table'"
    ).fetchall()
    for _, name in names:
        connection.execute(f'DROP TABLE "{name.replace(chr(34), chr(34) * 2)}"')
    for statement in _SCHEMA.split(";"):
        connection.execute(statement)
    connection.execute("COMMIT")
