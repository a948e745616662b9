"""A real database of Nix, written by hand: the tables of schema 10, any values."""

import hashlib
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

_DIGITS = "0123456789abcdfghijklmnpqrsvwxyz"
_TABLES = """
CREATE TABLE ValidPaths (
    id integer primary key autoincrement not null, path text unique not null, hash text not null,
    registrationTime integer not null, deriver text, narSize integer, ultimate integer, sigs text,
    ca text);
CREATE TABLE Refs (
    referrer integer not null, reference integer not null, primary key (referrer, reference));
CREATE INDEX IndexReferrer ON Refs(referrer);
CREATE INDEX IndexReference ON Refs(reference);
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A path of the store, with whatever values a test wants."""

    path: object
    hash: object = None
    time: object = 1_750_000_000
    deriver: object = None
    size: object = 4096
    sigs: object = None
    refs: Sequence[str] = ()


def store_path(name: str, seed: str = "") -> str:
    """A store path with a digest that only depends on its name and a seed."""
    number = int.from_bytes(hashlib.sha256(f"{name}{seed}".encode()).digest()[:20], "big")
    digits = "".join(_DIGITS[number >> 5 * at & 31] for at in range(32))
    return f"/nix/store/{digits}-{name}"


def nar_hash(path: object) -> str:
    """What a test takes for the hash of a path, as the database writes it."""
    return f"sha256:{hashlib.sha256(str(path).encode()).hexdigest()}"


def make_database(root: Path, rows: Iterable[Row], *, schema: str = "10", wal: bool = True) -> Path:
    """Write a database below a root; its file.

    Args:
        root: Where ``nix/var/nix/db`` is made.
        rows: Paths, each after those it refers to or not.
        schema: What the version file says.
        wal: Whether it has a log beside it, as Nix makes it.
    """
    folder = root / "nix/var/nix/db"
    folder.mkdir(parents=True)
    (folder / "schema").write_text(schema)
    file = folder / "db.sqlite"
    with sqlite3.connect(file) as connection:
        if wal:
            connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(_TABLES)
        kept = list(rows)
        connection.executemany(
            "INSERT INTO ValidPaths (path, hash, registrationTime, deriver, narSize, sigs)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            [
                (
                    row.path,
                    row.hash or nar_hash(row.path),
                    row.time,
                    row.deriver,
                    row.size,
                    row.sigs,
                )
                for row in kept
            ],
        )
        numbers = dict(connection.execute("SELECT path, id FROM ValidPaths"))
        connection.executemany(
            "INSERT INTO Refs VALUES (?, ?)",
            [(numbers[row.path], numbers[ref]) for row in kept for ref in row.refs],
        )
    connection.close()
    return file


def system_rows(count: int, *, name: str = "nixos-system-desk-26.05") -> list[Row]:
    """A system of so many paths, each of which refers to a few others: the system is the first."""
    parts = [
        store_path(f"part{at}-{1 + at % 9}.{at % 23}{('', '-bin', '-dev')[at % 3]}")
        for at in range(count - 1)
    ]
    rows = [
        Row(
            path=path,
            deriver=store_path(f"part{at}-{1 + at % 9}.{at % 23}.drv"),
            size=1000 + at,
            time=1_750_000_000 + at,
            sigs="cache.example-1:c2lnbmF0dXJl",
            refs=sorted({path, *parts[max(at - 5, 0) : at : 2]}),
        )
        for at, path in enumerate(parts)
    ]
    return [Row(path=store_path(name), refs=parts, time=1_760_000_000), *rows]
