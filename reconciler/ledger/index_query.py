"""Questions to the derived index. Every answer names entry, commit and file, to be checked.

Parameters are bound, never written into a statement; every question has a limit on rows and time.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from reconciler.errors import InputError
from reconciler.ledger.index import Index
from reconciler.ledger.index_file import limited, sound
from reconciler.report.answers import Answer, Answers
from reconciler.report.citation import Citation

MOST = 10_000

_ENTRY = "e.seq, e.at, e.kind, e.oid, e.digest, e.path"
# First which, by the index alone; then what stands beside them.
_MENTIONS = (
    "SELECT b.ref, e.seq, e.at, e.kind, e.oid, e.digest, e.path,"
    " l.seq, l.at, l.kind, l.oid, l.digest, l.path,"
    " m.about, m.rule, m.status, m.action, m.runs, m.detail"
    " FROM (SELECT * FROM mention{where} ORDER BY at DESC, id LIMIT ?) m"
    " JOIN branch b ON b.id = m.branch"
    " JOIN entry e ON e.branch = m.branch AND e.seq = m.seq"
    " JOIN entry l ON l.branch = m.branch AND l.seq = m.last"
    " ORDER BY m.at DESC, m.id"
)
_ENTRIES = (
    "SELECT b.ref, e.seq, e.at, e.kind, e.oid, e.digest, e.path,"
    " NULL, NULL, NULL, NULL, NULL, NULL, '', NULL, '', NULL, NULL, ''"
    " FROM (SELECT * FROM entry{where} ORDER BY at DESC, seq DESC LIMIT ?) e"
    " JOIN branch b ON b.id = e.branch ORDER BY e.at DESC, e.seq DESC"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is looked for; everything that is given must hold.

    Attributes:
        refs: Full names of the branches to look at; empty for all that are held.
        control: A control, ``<framework>:<control>``.
        rule: Id of a bound rule, or the part before its bracket.
        status: A status of a finding, a result of an action, or a reason of a refusal.
        kind: A kind of entry.
        action: Id of an action, or how it begins.
        intent: Number of an intent: itself and its outcome.
        since: Oldest time, as entries write it.
        until: Newest time, as entries write it.
        limit: At most so many answers, newest first.
    """

    refs: tuple[str, ...] = ()
    control: str | None = None
    rule: str | None = None
    status: str | None = None
    kind: str | None = None
    action: str | None = None
    intent: int | None = None
    since: str | None = None
    until: str | None = None
    limit: int = 100

    @property
    def about_content(self) -> bool:
        """Whether it asks for what entries say, not only for which there are."""
        asked = (self.control, self.rule, self.status, self.action, self.intent)
        return any(value is not None for value in asked)


@dataclass(slots=True)
class _Where:
    """Conditions and the values bound to them."""

    conditions: list[str] = field(default_factory=list)
    values: list[str | int] = field(default_factory=list)

    def add(self, condition: str, *values: str | int) -> None:
        self.conditions.append(condition)
        self.values += values

    def __str__(self) -> str:
        return " WHERE " + " AND ".join(self.conditions) if self.conditions else ""


def ask(index: Index, question: Question) -> Answers:
    """Answer a question from the index.

    Raises:
        InputError: The limit is out of bounds.
        MachineError: The index is broken, or the question takes too long.
    """
    if not 1 <= question.limit <= MOST:
        raise InputError(f"limit {question.limit}", hint=f"Ask for 1 to {MOST} answers.")
    where = _where(index, question)
    select = _MENTIONS if question.about_content else _ENTRIES
    with sound(index.path), limited(index.connection):
        rows = index.connection.execute(
            select.format(where=where), (*where.values, question.limit + 1)
        ).fetchall()
        found = [_answer(index, row) for row in rows[: question.limit]]
    return Answers(tuple(found), len(rows) > question.limit)


def notes_on(index: Index, ref: str, seq: int) -> tuple[tuple[Citation, str], ...]:
    """Annotations of an entry, oldest first.

    Raises:
        MachineError: The index is broken.
    """
    with sound(index.path), limited(index.connection):
        return _notes(index, ref, seq)


def locate(index: Index, ref: str, selector: str) -> Citation:
    """The entry of a branch that a person names.

    Args:
        index: Up to date.
        ref: Full name of the branch.
        selector: A sequence number, the beginning of a commit id, or the path of its file.

    Raises:
        InputError: There is no such entry, or more than one commit begins so.
        MachineError: The index is broken.
    """
    condition, values = _selected(selector)
    with sound(index.path), limited(index.connection):
        rows = index.connection.execute(
            f"SELECT {_ENTRY} FROM entry e JOIN branch b ON b.id = e.branch"  # noqa: S608 - constants
            f" WHERE b.ref = ? AND {condition} LIMIT 2",
            (ref, *values),
        ).fetchall()
    if len(rows) != 1:
        what = "more than one entry" if rows else "no entry"
        hint = "Name it by number, by at least 8 digits of its commit, or by the path of its file."
        raise InputError(f"{what} {selector!r:.100} on {ref}", hint=hint)
    return _citation(rows[0])


def after(index: Index, ref: str, seq: int) -> Citation | None:
    """The entry after a number, None if that is the newest.

    Raises:
        MachineError: The index is broken.
    """
    with sound(index.path), limited(index.connection):
        row = index.connection.execute(
            f"SELECT {_ENTRY} FROM entry e JOIN branch b ON b.id = e.branch"  # noqa: S608 - constants
            " WHERE b.ref = ? AND e.seq = ?",
            (ref, seq + 1),
        ).fetchone()
    return None if row is None else _citation(row)


def _selected(selector: str) -> tuple[str, tuple[str | int | bytes, ...]]:
    if selector.isascii() and selector.isdigit() and len(selector) <= 8:
        return "e.seq = ?", (int(selector),)
    hexadecimal = selector.lower()
    if 8 <= len(hexadecimal) <= 40 and set(hexadecimal) <= set("0123456789abcdef"):
        return "hex(e.oid) LIKE ? AND e.oid >= ? AND e.oid <= ?", (
            f"{hexadecimal}%",
            bytes.fromhex(hexadecimal.ljust(40, "0")),
            bytes.fromhex(hexadecimal.ljust(40, "f")),
        )
    return "e.path = ?", (selector,)


def _where(index: Index, question: Question) -> _Where:
    where = _Where()
    if question.refs:
        _branches(where, index, question.refs)
    ends = "at"
    if question.about_content:
        # A span is found if any part of it lies in the time that is asked for.
        ends = "last_at"
        _content(where, question)
    elif question.kind is not None:
        where.add("kind = ?", question.kind)
    if question.since is not None:
        where.add(f"{ends} >= ?", question.since)
    if question.until is not None:
        where.add("at <= ?", question.until)
    return where


def _branches(where: _Where, index: Index, refs: Sequence[str]) -> None:
    with sound(index.path):
        held = dict(index.connection.execute("SELECT ref, id FROM branch").fetchall())
    chosen = [number for ref, number in held.items() if ref in refs]
    if len(chosen) == 1:
        where.add("branch = ?", chosen[0])
    elif len(chosen) < len(held) or not held:
        where.add(f"branch IN ({', '.join('?' * len(chosen))})", *chosen)


def _content(where: _Where, question: Question) -> None:
    if question.control is not None:
        where.add("id IN (SELECT mention FROM control WHERE name = ?)", question.control)
    if question.rule is not None:
        # Names of bound rules: the rule, or the rule and a bracket ('[' is 0x5B, '\\' is 0x5C).
        bracket, behind = f"{question.rule}[", f"{question.rule}\\"
        where.add("(rule = ? OR (rule >= ? AND rule < ?))", question.rule, bracket, behind)
    if question.status is not None:
        where.add("status = ?", question.status)
    if question.kind is not None:
        where.add(
            "(about = ? OR (? = 'run' AND about IN ('finding', 'not_done')))", *[question.kind] * 2
        )
    if question.action is not None:
        where.add("(action >= ? AND action < ?)", question.action, f"{question.action}g")
    if question.intent is not None:
        where.add(
            "id IN (SELECT id FROM mention WHERE seq = ? AND about = 'intent'"
            " UNION SELECT id FROM mention WHERE closes = ?)",
            *[question.intent] * 2,
        )


def _answer(index: Index, row: Sequence[object]) -> Answer:
    ref, first, last = str(row[0]), _citation(row[1:7]), row[7:13]
    about, rule, status, action, runs, detail = row[13:19]
    return Answer(
        ref=ref,
        first=first,
        last=_citation(last) if runs is not None else None,
        about=str(about),
        rule=None if rule is None else str(rule),
        status=str(status),
        action=None if action is None else str(action),
        runs=runs if isinstance(runs, int) else None,
        detail=str(detail),
        notes=_notes(index, ref, first.seq),
    )


def _notes(index: Index, ref: str, seq: int) -> tuple[tuple[Citation, str], ...]:
    rows = index.connection.execute(
        # Named, because for the sake of the order SQLite would look at every mention.
        f"SELECT {_ENTRY}, m.detail FROM mention m INDEXED BY mention_annotates"  # noqa: S608
        " JOIN branch b ON b.id = m.branch JOIN entry e ON e.branch = b.id AND e.seq = m.seq"
        " WHERE b.ref = ? AND m.annotates = ? ORDER BY m.seq LIMIT ?",
        (ref, seq, MOST),
    ).fetchall()
    return tuple((_citation(row[:6]), row[6]) for row in rows)


def _citation(row: Sequence[object]) -> Citation:
    seq, at, kind, oid, digest, path = row
    if not (isinstance(seq, int) and isinstance(oid, bytes) and isinstance(digest, bytes)):
        raise InputError("index holds a row that is none", hint="Delete it; it is derived.")
    where = None if path is None else str(path)
    return Citation(seq, str(at), str(kind), oid.hex(), digest.hex(), where)
