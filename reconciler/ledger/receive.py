"""What an evidence repository accepts: the decision behind its ``pre-receive`` hook.

Every new commit is examined as the audit examines it, and must follow the one before. The hook is a
courtesy of an honest server: it keeps mistakes and thieves of one key out early. An auditor relies
on none of it and proves everything again.

Rule 1: Only branches of appliances, only forward, never deleted.
Rule 2: A push is accepted whole or not at all.
Rule 3: An entry from the future is refused while it can still be corrected.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from reconciler.errors import EvidenceError
from reconciler.evidence import commit as commits
from reconciler.evidence.fault import Code, Fault, Place
from reconciler.evidence.history import Step, history
from reconciler.evidence.key_life import KeyLife, KeyUse, change_of, next_key
from reconciler.evidence.merkle import Frontier, leaf_hash
from reconciler.evidence.record import Branch, Record
from reconciler.evidence.signers import AllowedSigners
from reconciler.evidence.source import ObjectSource, read_as
from reconciler.ledger.incoming import IncomingStore

AHEAD = timedelta(minutes=5)
"""How far an entry's time may lie ahead of this server's clock."""

_MAX_LINES = 1000
_MAX_FAULTS = 5
_LINE = re.compile(r"([0-9a-f]{40}) ([0-9a-f]{40}) (\S{1,300})\n?")
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_BRANCH = re.compile(rf"refs/heads/({_LABEL})/({_LABEL})")
_NOTHING = "0" * 40


Said = tuple[Place, str, Frontier | None]
"""Where an entry is, its digest, and what it says of the log before it, if it says that."""


class Why(StrEnum):
    """Reasons besides the faults of an audit; stable."""

    FORM = "push-form"
    QUARANTINE = "quarantine"
    NOT_A_BRANCH = "not-a-branch"
    DELETED = "deleted"
    NOT_FAST_FORWARD = "not-fast-forward"
    FUTURE = "from-the-future"


REFUSAL_CODES = frozenset(Why) | frozenset(Code)
"""Everything that a refusal's code may be."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a push is not accepted.

    Attributes:
        ref: The reference that was to be moved.
        code: Stable name: a `Why`, or the `Code` of a fault.
        message: What exactly, in one sentence.
    """

    ref: str
    code: str
    message: str

    def __str__(self) -> str:
        return f"{self.ref}: {self.code}: {self.message}"


def receive(
    lines: Sequence[str],
    repository: Path,
    *,
    quarantine: Path | None,
    signers: AllowedSigners,
    now: datetime,
) -> list[Refusal]:
    """Decide on a push.

    Args:
        lines: What git writes to the hook: ``<old> <new> <reference>``, one for each reference.
        repository: The evidence repository.
        quarantine: Where git holds the objects of the push: ``GIT_QUARANTINE_PATH``.
        signers: Who may sign.
        now: This server's time.

    Returns:
        Why it is not accepted; empty if it is.
    """
    if not 0 < len(lines) <= _MAX_LINES:
        return [Refusal("push", Why.FORM, f"{len(lines)} references in one push")]
    refusals: list[Refusal] = []
    moves: list[_Move] = []
    for line in lines:
        read = _read(line)
        if isinstance(read, Refusal):
            refusals.append(read)
        else:
            moves.append(read)
    # A push that only deletes brings no objects, so git holds none in quarantine.
    return refusals or _judged(moves, repository, quarantine, signers, now)


@dataclass(frozen=True, slots=True)
class _Move:
    ref: str
    client: str
    host: str
    old: str | None
    new: str


def _read(line: str) -> _Move | Refusal:
    match = _LINE.fullmatch(line)
    if match is None:
        return Refusal("push", Why.FORM, f"line {line[:120]!r} is not two ids and a name")
    old, new, ref = match.groups()
    branch = _BRANCH.fullmatch(ref)
    if branch is None:
        return Refusal(ref, Why.NOT_A_BRANCH, "is not refs/heads/<client>/<host>")
    if new == _NOTHING:
        return Refusal(ref, Why.DELETED, "a branch of evidence is never deleted")
    return _Move(ref, branch[1], branch[2], None if old == _NOTHING else old, new)


def _judged(
    moves: Sequence[_Move],
    repository: Path,
    quarantine: Path | None,
    signers: AllowedSigners,
    now: datetime,
) -> list[Refusal]:
    if quarantine is None:
        return [Refusal("push", Why.QUARANTINE, "git names no quarantine (git 2.11 or newer does)")]
    try:
        source = IncomingStore(repository, quarantine)
    except EvidenceError as error:
        return [Refusal("push", Why.QUARANTINE, error.message)]
    return [
        Refusal(move.ref, code, message)
        for move in moves
        for code, message in _Push(source, Branch(move.client, move.host, signers), move.old).judge(
            move.new, now
        )
    ]


class _Push:
    """One branch that shall move."""

    def __init__(self, source: ObjectSource, branch: Branch, old: str | None) -> None:
        self._source = source
        self._branch = branch
        self._old = old

    def judge(self, new: str, now: datetime) -> list[tuple[str, str]]:
        """Code and message of what is wrong, at most a few."""
        before = None if self._old is None else self._proven(self._old)
        if self._old is not None and before is None:
            return [(Code.OBJECT, f"the branch's own {self._old} does not verify")]
        newest = child = None
        said: list[Said] = []
        for step in history(self._source, self._branch, new, until=self._old):
            if step.commit == self._old:
                break
            wrong = [*_wrong(step, before), *self._succession(child, step.record)]
            if wrong or step.record is None:
                return wrong or [(Code.OBJECT, f"commit {step.commit} proves nothing")]
            newest, child = newest or step.record, step.record
            said.append((step.record.place, step.record.digest, step.record.entry.log))
        else:
            if self._old is not None:
                return [(Why.NOT_FAST_FORWARD, f"does not contain {self._old}")]
        if newest is None:
            return [(Why.NOT_FAST_FORWARD, "brings nothing new")]
        return [*self._succession(child, before), *self._logs(said), *_future(newest, now)]

    def _proven(self, oid: str) -> Record | None:
        return next(history(self._source, self._branch, oid)).record

    def _succession(self, child: Record | None, parent: Record | None) -> list[tuple[str, str]]:
        """Whether the key that signed an entry is the one that may come after the entry before."""
        if child is None:
            return []
        life = KeyLife(self._branch.signers)
        if parent is None:
            faults = life.start(child)
        else:
            key = next_key(parent)
            life.uses = [KeyUse(key, "before this push", None, parent, parent)]
            faults = life.follow(child)
        change = change_of(child)
        if change is not None and parent is not None and self._signed(change.public, parent.commit):
            faults.append(Fault(Code.RETIRED_KEY, child.place, "brings back a key of earlier"))
        return [(fault.code, f"{fault.place}: {fault.message}") for fault in faults]

    def _logs(self, said: list[Said]) -> Iterator[tuple[str, str]]:
        """Whether what new entries say of the log before them is so; ``said`` is newest first."""
        if all(claim is None for _, _, claim in said):
            return
        known = [] if self._old is None else self._back_to_a_log()
        log: Frontier | None = None
        for place, digest, claim in reversed([*said, *known]):
            log = claim if log is None else log
            if claim is not None and claim != log:
                yield Code.LOG, f"{place}: says another log than the entries before it make"
                return
            if log is not None:
                log = log.append(leaf_hash(bytes.fromhex(digest)))

    def _back_to_a_log(self) -> list[Said]:
        """Entries before this push, newest first, back to one that says the log before it."""
        found: list[Said] = []
        for step in history(self._source, self._branch, self._old or ""):
            if step.record is None:
                break
            found.append((step.record.place, step.record.digest, step.record.entry.log))
            if step.record.entry.log is not None:
                break
        return found

    def _signed(self, public: bytes, tip: str) -> bool:
        """Whether a key signed an entry up to a commit; looked for only when keys change."""
        at: str | None = tip
        while at is not None:
            commit = commits.parse(read_as(self._source, "commit", at))
            if commit.signed_by() == public:
                return True
            at = next(iter(commit.parents), None)
        return False


def _wrong(step: Step, before: Record | None) -> Iterator[tuple[str, str]]:
    for fault in step.faults[:_MAX_FAULTS]:
        yield fault.code, f"{fault.place}: {fault.message}"
    if step.record is not None and before is not None and step.record.entry.seq <= before.entry.seq:
        # Walked past where the branch is without meeting it: the rest need not be looked at.
        at = f"the branch is at entry {before.entry.seq}, commit {before.commit}"
        yield Why.NOT_FAST_FORWARD, f"{step.commit} is not after it: {at}"


def _future(newest: Record, now: datetime) -> Iterator[tuple[str, str]]:
    if newest.entry.time > now + AHEAD:
        times = f"entry of {newest.entry.recorded_at}, but this server's clock says {now}"
        yield Why.FUTURE, f"{times}: one of them is wrong"
