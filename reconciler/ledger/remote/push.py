"""Pushing a branch to its evidence repository: fast-forward only, in slices, never forced.

What is unpushed is read off the two tips each time, so an appliance may be offline for a year, be
killed at any instant or lose its notes, and goes on where the server is. Each slice is one atomic
update of one reference; a slow line makes progress slice by slice.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from random import Random

from reconciler.errors import Busy, EvidenceError, LedgerMissing, MachineError
from reconciler.evidence import layout
from reconciler.ledger.durable import on_disk
from reconciler.ledger.lock import HostLock
from reconciler.ledger.objects import ObjectStore, repository_directory
from reconciler.ledger.receive import REFUSAL_CODES
from reconciler.ledger.refs import make_directories, remove_stale
from reconciler.ledger.remote.memory import Memory, load, next_try, save
from reconciler.ledger.remote.standing import Relation, Standing, compare
from reconciler.transport import push as wire
from reconciler.transport.cause import Cause, failure
from reconciler.transport.limits import MIB, WireLimits
from reconciler.transport.push import Seen
from reconciler.transport.server import Server

PUSH_LIMITS = WireLimits(timeout_s=600.0, memory_bytes=768 * MIB)
SLICE = 2000
"""Entries that are pushed in one go, at most."""
SMALLEST_SLICE = 20

_FOR_A_PERSON: frozenset[Cause] = frozenset(
    {"declined", "auth-failed", "unknown-host", "bad-certificate", "not-found", "unproven"}
)
_MEANWHILE = "the evidence waits in the ledger, and nothing of it expires"
_DISAGREES = {
    Relation.AHEAD: "holds newer entries than this ledger",
    Relation.DIVERGED: "holds another history than this ledger",
    Relation.UNKNOWN: "holds entries that this ledger does not have",
}
_DISAGREES_HINT = (
    "Do not force it. If this machine was restored from an old copy, run reconciler evidence "
    "resume; if not, two machines write as one: stop both, and keep both repositories."
)


class PushState(StrEnum):
    """How a push ended."""

    PUSHED = "pushed"
    UP_TO_DATE = "up_to_date"
    DEFERRED = "deferred"
    """It will be tried again by itself."""
    REFUSED = "refused"
    """It will be tried again too, but somebody has to do something first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PushResult:
    """What a push did.

    Attributes:
        state: How it ended.
        tip: Our newest commit.
        shown: The newest commit that the server was seen to hold, None if none was seen.
        pushed: Entries that the server has now and had not before.
        pending: Entries that it still lacks; None if that is not known.
        lost: Entries that it had held earlier and did not any more: its owner took them away.
        cause: Why it did not get further; None if it did, or if it waits for its time.
        detail: More about the cause, harmless text.
        refusals: Codes of the server's own hook.
        next_try: When it will be tried again, None for at the next occasion.
    """

    state: PushState
    tip: str
    shown: str | None = None
    pushed: int = 0
    pending: int | None = None
    lost: int = 0
    cause: Cause | None = None
    detail: str = ""
    refusals: tuple[str, ...] = ()
    next_try: datetime | None = None

    @property
    def done(self) -> bool:
        """Whether the server holds everything."""
        return self.state in (PushState.PUSHED, PushState.UP_TO_DATE)

    @property
    def words(self) -> tuple[str, str] | None:
        """What is wrong and what to do about it, None if nothing is."""
        if self.cause is None:
            return None
        return failure(self.cause, server="evidence server", meanwhile=_MEANWHILE)


@dataclass(frozen=True, slots=True)
class Outbox:
    """One branch of one ledger, and where it goes.

    Attributes:
        repository: The ledger.
        client: One clinic.
        host: The appliance.
        server: Where to.
        home: Folder for what the child process needs.
        limits: Bounds of one transfer.
        slice: Entries that go in one transfer.
        most: Entries that go in one push at most; the rest is due at once. None for no limit.
    """

    repository: Path
    client: str
    host: str
    server: Server
    home: Path
    limits: WireLimits = PUSH_LIMITS
    slice: int = SLICE
    most: int | None = None


def push(outbox: Outbox, known: str | None = None) -> PushResult:
    """Push what the server lacks.

    Args:
        outbox: What, and where to.
        known: A commit that the server held earlier, if that is remembered.

    Raises:
        LedgerMissing: There is no ledger, or no such branch in it.
        EvidenceError: The server holds what this ledger does not; nothing was pushed.
        InputError: The known hosts file cannot be read.
    """
    store, tip = _opened(outbox)
    seen = _look(outbox)
    if seen.cause is not None:
        return _stopped(seen, tip)
    standing = compare(store, tip, seen.tip)
    if standing.relation is Relation.EQUAL:
        return PushResult(state=PushState.UP_TO_DATE, tip=tip, shown=tip, pending=0)
    if standing.relation is not Relation.BEHIND:
        raise _disagreement(outbox, standing.relation, seen.tip)
    return _send(outbox, tip, seen.tip, standing, _lost(standing, known))


def push_when_due(outbox: Outbox, file: Path, now: datetime, rng: Random) -> PushResult:
    """Push unless it is too early after a try that failed; remember how it went.

    Args:
        outbox: What, and where to.
        file: Where to remember.
        now: Wall time.
        rng: For the random part of a delay.

    Raises:
        LedgerMissing: There is no ledger, or no such branch in it.
        EvidenceError: The server holds what this ledger does not; nothing was pushed.
        InputError: The known hosts file cannot be read.
        MachineError: What happened cannot be remembered.
    """
    before = load(file)
    if before.waits(now):
        _, tip = _opened(outbox)
        detail = f"waits after {before.attempts} tries in a row"
        state = PushState.DEFERRED
        return PushResult(state=state, tip=tip, detail=detail, next_try=before.next_try)
    failed = before.attempts + 1
    # Written before the try: one that kills this process counts as well.
    save(file, Memory(before.tip, failed, next_try(failed, now, rng)))
    # What did not get through in one piece may do so in smaller ones.
    smaller = max(SMALLEST_SLICE, outbox.slice >> min(before.attempts, 16))
    result = push(replace(outbox, slice=min(smaller, outbox.slice)), before.tip)
    shown = result.shown or before.tip
    if result.cause is None:
        # All of it, or as much as was asked for: there is nothing to wait for.
        save(file, Memory(shown))
        return result
    again = next_try(1 if result.pushed else failed, now, rng)
    save(file, Memory(shown, failed, again))
    return replace(result, next_try=again)


def _opened(outbox: Outbox) -> tuple[ObjectStore, str]:
    store = ObjectStore(repository_directory(outbox.repository))
    name = layout.ref_name(outbox.client, outbox.host)
    tip = store.ref(name)
    if tip is None:
        hint = "Restore the ledger from its remote: reconciler evidence resume."
        raise LedgerMissing(f"no branch {name} in {outbox.repository}", hint=hint)
    return store, tip


def _send(outbox: Outbox, tip: str, shown: str | None, standing: Standing, lost: int) -> PushResult:
    pending = standing.pending[: outbox.most]
    more = len(standing.pending) - len(pending)
    for start in range(0, len(pending), outbox.slice):
        commit = pending[start : start + outbox.slice][-1]
        seen = _move(outbox, shown, commit)
        if seen.cause is not None:
            stopped = _stopped(seen, tip)
            left = len(standing.pending) - start
            return replace(stopped, shown=shown, pushed=start, pending=left, lost=lost)
        shown = commit
    return PushResult(
        state=PushState.DEFERRED if more else PushState.PUSHED,
        tip=tip,
        shown=shown,
        pushed=len(pending),
        pending=more,
        lost=lost,
    )


def _look(outbox: Outbox) -> Seen:
    return wire.look(
        outbox.server,
        outbox.limits,
        repository=repository_directory(outbox.repository),
        home=outbox.home,
        branch=f"{outbox.client}/{outbox.host}",
    )


def _move(outbox: Outbox, before: str | None, commit: str) -> Seen:
    path = outbox.server.path
    if path is None or not path.is_dir():
        return _sent(outbox, before, commit)
    # A server compares and swaps; libgit2 on a path does not, so whoever pushes there takes turns.
    name = layout.ref_name(outbox.client, outbox.host)
    try:
        with HostLock(path / "push.lock"), on_disk(path):
            for place in ("", "logs/"):
                remove_stale(path / f"{place}{name}.lock")
            if (path / "refs").is_dir():
                # libgit2 syncs the file and its directory, but not the names of new directories.
                make_directories(path, name)
            return _sent(outbox, before, commit)
    except MachineError as error:
        return Seen(None, "moved" if isinstance(error, Busy) else "local", error.message)


def _sent(outbox: Outbox, before: str | None, commit: str) -> Seen:
    return wire.push(
        outbox.server,
        outbox.limits,
        repository=repository_directory(outbox.repository),
        home=outbox.home,
        branch=f"{outbox.client}/{outbox.host}",
        before=before,
        commit=commit,
    )


def _stopped(seen: Seen, tip: str) -> PushResult:
    state = PushState.REFUSED if seen.cause in _FOR_A_PERSON else PushState.DEFERRED
    known = tuple(code for code in seen.refusals if code in REFUSAL_CODES)
    return PushResult(state=state, tip=tip, cause=seen.cause, detail=seen.detail, refusals=known)


def _lost(standing: Standing, known: str | None) -> int:
    """Entries up to the one that the server had held: if it lacks that, somebody cut it off."""
    return standing.pending.index(known) + 1 if known in standing.pending else 0


def _disagreement(outbox: Outbox, relation: Relation, shown: str | None) -> EvidenceError:
    place = f"{outbox.client}/{outbox.host} on the evidence server"
    message = f"{place} {_DISAGREES[relation]} (it is at {shown}, reason: {relation.value})"
    return EvidenceError(message, hint=_DISAGREES_HINT)
