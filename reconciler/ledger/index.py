"""The derived index: what proven entries say, in SQLite, so that questions need not read them all.

Rule 1: It is built from proven entries only, newest first, each read once.
Rule 2: It knows the entry that it reaches up to. Where the history does not continue from there,
        what it held of that branch is dropped and built anew, and the caller is told.
Rule 3: It trusts nobody: it also remembers who was allowed to sign when it was built.
"""

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from reconciler.evidence.record import Branch, Record
from reconciler.ledger.index_file import connected, sound
from reconciler.ledger.index_rows import Rows
from reconciler.ledger.objects import ObjectStore, repository_directory
from reconciler.ledger.reader import proven, tip_of


@dataclass(frozen=True, slots=True)
class Reached:
    """The newest entry of a branch that an index holds.

    Attributes:
        branch: Number of the branch in the index.
        seq: Number of the entry.
        tip: Object id of its commit.
        digest: Hex SHA-256 of its statement.
        newest_run: Number of the newest run, None if there is none.
        newest_full: Number of the newest run with findings of its own, None if there is none.
    """

    branch: int
    seq: int
    tip: str
    digest: str
    newest_run: int | None
    newest_full: int | None


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What bringing an index up to date did.

    Attributes:
        added: How many entries were read and added.
        dropped: The newest entry that was held of a history that does not continue, if so.
    """

    added: int
    dropped: Reached | None


class Index:
    """An open index."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        """Use `opened`.

        Args:
            path: Its file.
            connection: Open, with the schema of this format.
        """
        self.path = path
        self.connection = connection

    def refresh(self, repository: Path, branch: Branch) -> Refreshed:
        """Bring one branch up to date.

        Args:
            repository: Directory of the evidence repository.
            branch: Whose branch, and who may sign.

        Raises:
            LedgerMissing: There is no such branch.
            LedgerDamaged: An entry does not verify; the index stays as it was.
            MachineError: The index cannot be written.
        """
        store = ObjectStore(repository_directory(repository))
        tip, trust = tip_of(store, branch, repository), _trust(branch)
        with sound(self.path), self._transaction():
            held = self._reached(branch, trust)
            if held is not None and held.tip == tip:
                return Refreshed(0, None)
            records = proven(store, branch, repository)
            return self._extend(branch, trust, held, records)

    def _extend(
        self, branch: Branch, trust: str, held: Reached | None, records: Iterator[Record]
    ) -> Refreshed:
        if held is None:
            self._forget(branch.ref)
        number = held.branch if held is not None else self._new_branch(branch.ref, trust)
        rows, dropped = Rows(self.connection, number), None
        joined = False
        for record in records:
            if held is not None and record.entry.seq <= held.seq:
                joined = (record.entry.seq, record.digest) == (held.seq, held.digest)
                if joined:
                    break
                rows.drop_up_to(held.seq)
                held, dropped = None, held
            rows.add(record)
        rows.finish(held if joined else None)
        return Refreshed(rows.added, dropped)

    def _reached(self, branch: Branch, trust: str) -> Reached | None:
        row = self.connection.execute(
            "SELECT id, seq, tip, digest, newest_run, newest_full FROM branch"
            " WHERE ref = ? AND trust = ? AND seq >= 0",
            (branch.ref, trust),
        ).fetchone()
        return None if row is None else Reached(*row)

    def _new_branch(self, ref: str, trust: str) -> int:
        row = self.connection.execute(
            "INSERT INTO branch (ref, trust, seq, tip, digest) VALUES (?, ?, -1, '', '')"
            " RETURNING id",
            (ref, trust),
        ).fetchone()
        return int(row[0])

    def _forget(self, ref: str) -> None:
        """Drop a branch that was built under other signers."""
        row = self.connection.execute("SELECT id FROM branch WHERE ref = ?", (ref,)).fetchone()
        if row is not None:
            Rows(self.connection, row[0]).drop_up_to(None)
            self.connection.execute("DELETE FROM branch WHERE id = ?", row)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """All of it or nothing: a build that is interrupted leaves what was there."""
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")


@contextmanager
def opened(path: Path) -> Iterator[Index]:
    """Open an index, making it if there is none.

    Raises:
        InputError: The file is something else.
        MachineError: It cannot be read or written, or it is broken.
    """
    with connected(path) as connection:
        yield Index(path, connection)


def _trust(branch: Branch) -> str:
    """A name for who may sign: entries that were proven under others are not proven."""
    return hashlib.sha256(repr(branch.signers.signers).encode()).hexdigest()
