"""Rows of the derived index: entries, what they mention, and for how long each status held."""

import sqlite3
from collections.abc import Iterable
from typing import TYPE_CHECKING

from reconciler.errors import LedgerDamaged
from reconciler.evidence.record import Record
from reconciler.report.citation import Citation, cite, repeats
from reconciler.report.mentions import Mention, mentions
from reconciler.report.spans import Folding, Span

if TYPE_CHECKING:
    from reconciler.ledger.index import Reached

_HINT = "Run reconciler verify on this repository."


class Rows:
    """Adds the entries of one branch, newest first."""

    def __init__(self, connection: sqlite3.Connection, branch: int) -> None:
        """Args: connection: In a transaction. branch: Number of the branch in the index."""
        self.added = 0
        self._connection = connection
        self._branch = branch
        self._folding = Folding()
        self._newest: Record | None = None
        self._newest_run: int | None = None
        self._newest_full: int | None = None

    def add(self, record: Record) -> None:
        """Take in one more entry, older than all before.

        Raises:
            EvidenceError: It does not say what its kind says.
        """
        self.added += 1
        self._newest = self._newest or record
        here, like = cite(record), repeats(record)
        self._connection.execute(
            "INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                self._branch,
                here.seq,
                here.at,
                here.kind,
                bytes.fromhex(here.commit),
                bytes.fromhex(here.digest),
                here.path,
                like,
            ),
        )
        if here.kind == "run":
            self._note_run(here.seq, like)
        self._spans(self._folding.add(record))
        self._mentions(here, mentions(record))

    def drop_up_to(self, seq: int | None) -> None:
        """Forget entries up to a number, all of them without one."""
        chosen = (self._branch, 2**53 if seq is None else seq)
        self._connection.execute(
            "DELETE FROM control WHERE mention IN"
            " (SELECT id FROM mention WHERE branch = ? AND seq <= ?)",
            chosen,
        )
        self._connection.execute("DELETE FROM mention WHERE branch = ? AND seq <= ?", chosen)
        self._connection.execute("DELETE FROM entry WHERE branch = ? AND seq <= ?", chosen)

    def finish(self, held: "Reached | None") -> None:
        """Join with what is held already, and remember how far it reaches.

        Args:
            held: The newest entry before those that were added; None at a genesis.

        Raises:
            LedgerDamaged: Runs repeat one that is not there.
        """
        newest_run = self._continue(held)
        for span in self._folding.end():
            self._extend(span, newest_run)
        self._inherit_controls()
        if held is not None:
            self._newest_run = self._newest_run or held.newest_run
            self._newest_full = self._newest_full or held.newest_full
        if self._newest is not None:
            newest = self._newest
            self._connection.execute(
                "UPDATE branch SET seq = ?, tip = ?, digest = ?, newest_run = ?, newest_full = ?"
                " WHERE id = ?",
                (
                    newest.entry.seq,
                    newest.commit,
                    newest.digest,
                    self._newest_run,
                    self._newest_full,
                    self._branch,
                ),
            )

    def _note_run(self, seq: int, like: int | None) -> None:
        if self._newest_run is None:
            self._newest_run = seq
        if self._newest_full is None and like is None:
            self._newest_full = seq

    def _continue(self, held: "Reached | None") -> int | None:
        """Runs that repeat a run which is held already make its spans longer.

        Returns:
            The newest run that is held now.
        """
        waiting = self._folding.waiting
        if waiting is None:
            return None if held is None else held.newest_run
        if held is None or held.newest_full != waiting.like:
            message = (
                f"entry {waiting.first.seq} repeats run {waiting.like}, which is not before it"
            )
            raise LedgerDamaged(message, hint=_HINT)
        self._connection.execute(
            "UPDATE mention SET last = ?, last_at = ?, runs = runs + ?"
            " WHERE branch = ? AND last = ? AND same IS NOT NULL",
            (waiting.last.seq, waiting.last.at, waiting.runs, self._branch, held.newest_run),
        )
        return waiting.last.seq

    def _extend(self, span: Span, newest_run: int | None) -> None:
        done = self._connection.execute(
            "UPDATE mention SET last = ?, last_at = ?, runs = runs + ?"
            " WHERE branch = ? AND last = ? AND same = ?",
            (span.last.seq, span.last.at, span.runs, self._branch, newest_run, span.key),
        )
        if not done.rowcount:
            self._spans([span])

    def _spans(self, spans: Iterable[Span]) -> None:
        for span in spans:
            number = self._insert(
                (span.first, span.last, span.runs),
                (span.about, span.rule, span.status, span.action),
                (None, None, span.detail, span.key),
            )
            self._controls(number, span.controls)

    def _mentions(self, here: Citation, found: Iterable[Mention]) -> None:
        for mention in found:
            number = self._insert(
                (here, here, None),
                (mention.about, mention.rule, mention.status, mention.action),
                (mention.closes, mention.annotates, mention.detail, None),
            )
            self._controls(number, mention.controls)

    def _insert(
        self,
        place: tuple[Citation, Citation, int | None],
        what: tuple[str, str | None, str, str | None],
        more: tuple[int | None, int | None, str, str | None],
    ) -> int:
        first, last, runs = place
        row = self._connection.execute(
            "INSERT INTO mention (branch, seq, at, last, last_at, runs, about, rule, status,"
            " action, closes, annotates, detail, same)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
            (self._branch, first.seq, first.at, last.seq, last.at, runs, *what, *more),
        ).fetchone()
        return int(row[0])

    def _controls(self, number: int, names: Iterable[str]) -> None:
        self._connection.executemany(
            "INSERT OR IGNORE INTO control VALUES (?, ?)", [(name, number) for name in names]
        )

    def _inherit_controls(self) -> None:
        """An outcome names rules; which controls they serve stands in the intent it closes."""
        self._connection.execute(
            "INSERT OR IGNORE INTO control"
            " SELECT c.name, o.id FROM mention o"
            " JOIN mention i ON i.branch = o.branch AND i.seq = o.closes AND i.rule = o.rule"
            " JOIN control c ON c.mention = i.id"
            " WHERE o.branch = ? AND o.closes IS NOT NULL",
            (self._branch,),
        )
