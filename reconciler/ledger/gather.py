"""Examining a branch on several cores: its commits are listed, cut into stretches, and shared out.

A stretch is cut where an entry has a file, because what comes after it refers to it. Each worker
opens the repository itself, so nothing but the ids of commits and what was found crosses over.
"""

import multiprocessing
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from reconciler.errors import EvidenceError, MachineError
from reconciler.evidence import commit as commits
from reconciler.evidence.history import history
from reconciler.evidence.record import Branch
from reconciler.evidence.source import read_as
from reconciler.evidence.stretch import MAX_FAULTS, Stretch, gather
from reconciler.ledger.objects import ObjectStore

STRETCH = 4000
"""Entries in a stretch, at least: long enough that sharing out costs nothing."""

Progress = Callable[[int, int], None]
"""Told how many of how many entries are examined."""


@dataclass(frozen=True, slots=True)
class Cut:
    """One stretch to examine.

    Attributes:
        newest: Its newest commit.
        oldest: Its oldest commit.
        entries: How many commits it has.
    """

    newest: str
    oldest: str | None
    entries: int


@dataclass(frozen=True, slots=True)
class Examined:
    """A branch, examined.

    Attributes:
        stretches: What was found, newest first.
        milestones: Some of its commits, newest first: where a later audit may look again.
        reached: Whether it goes on from the commit that was proven earlier.
    """

    stretches: tuple[Stretch, ...]
    milestones: tuple[str, ...]
    reached: bool


def examine(
    directory: Path,
    branch: Branch,
    tip: str,
    *,
    seen: set[bytes],
    jobs: int,
    progress: Progress,
    until: str | None = None,
) -> Examined:
    """Examine a branch.

    Args:
        directory: The repository directory (the one that holds ``objects``).
        branch: Whose branch, and who may sign.
        tip: Its newest commit.
        seen: Collects the binary ids of the objects that were read and proven.
        jobs: How many processes may work.
        progress: Told how far it is.
        until: The newest commit that was proven earlier; it and what is before it is left out.
    """
    cuts = list(_cuts(directory, tip, until))
    reached = not cuts or _parent(directory, cuts[-1].oldest) == until
    if cuts and not (until and reached):
        # Nobody else looks at what is before it: its end must be a proven first entry.
        cuts[-1] = replace(cuts[-1], oldest=None)
    total = sum(cut.entries for cut in cuts)
    progress(0, total)
    if jobs > 1 and len(cuts) > 1:
        found = _apart(directory, branch, cuts, jobs, progress)
    else:
        found = _here(directory, branch, cuts, progress)
    stretches: list[Stretch] = []
    for stretch, ids in found:
        stretches.append(stretch)
        seen.update(ids)
        if sum(len(one.faults) for one in stretches) >= MAX_FAULTS:
            break
    return Examined(tuple(stretches), tuple(cut.newest for cut in cuts), reached)


Found = tuple[Stretch, set[bytes]]


def work(directory: Path, branch: Branch, cut: Cut) -> Found:
    """Examine one stretch; runs in a process of its own."""
    ids: set[bytes] = set()
    store = ObjectStore(directory, ids)
    return gather(history(store, branch, cut.newest, until=cut.oldest)), ids


def _here(directory: Path, branch: Branch, cuts: list[Cut], progress: Progress) -> Iterator[Found]:
    done, total = 0, sum(cut.entries for cut in cuts)
    for cut in cuts:
        yield work(directory, branch, cut)
        done += cut.entries
        progress(done, total)


def _apart(
    directory: Path, branch: Branch, cuts: list[Cut], jobs: int, progress: Progress
) -> Iterator[Found]:
    done, total = 0, sum(cut.entries for cut in cuts)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(jobs, len(cuts)), mp_context=context) as pool:
        try:
            futures = [pool.submit(work, directory, branch, cut) for cut in cuts]
            for future, cut in zip(futures, cuts, strict=True):
                yield _result(future)
                done += cut.entries
                progress(done, total)
        finally:
            pool.shutdown(cancel_futures=True)


def _result(future: "Future[Found]") -> Found:
    try:
        return future.result()
    except (OSError, RuntimeError) as error:
        message = f"a process of the audit ended early: {error}"
        hint = "Give it more memory, or run with --jobs 1."
        raise MachineError(message, hint=hint) from error


def _cuts(directory: Path, tip: str, until: str | None) -> Iterator[Cut]:
    """Cut a branch, newest first, where an entry has a file; nothing of it is proven yet."""
    newest, entries = tip, 0
    store = ObjectStore(directory)
    child: str | None = None
    for oid, has_file in _walk(store, tip, until):
        if child is None:
            newest, entries = oid, 0
        entries += 1
        child = oid
        if has_file and entries >= STRETCH:
            yield Cut(newest, oid, entries)
            child = None
    if child is not None:
        yield Cut(newest, child, entries)


def _walk(store: ObjectStore, tip: str, until: str | None) -> Iterator[tuple[str, bool]]:
    """Commits of a branch, and whether each has another tree than its parent."""
    oid: str | None = tip
    held = _read(store, tip)
    while oid is not None and oid != until:
        parent = None if held is None else next(iter(commits.parents_of(held)), None)
        below = None if parent is None else _read(store, parent)
        same = held is not None and below is not None
        yield oid, not (same and commits.tree_of(held or b"") == commits.tree_of(below or b""))
        oid, held = parent, below


def _parent(directory: Path, oid: str | None) -> str | None:
    held = None if oid is None else _read(ObjectStore(directory), oid)
    return None if held is None else next(iter(commits.parents_of(held)), None)


def _read(store: ObjectStore, oid: str) -> bytes | None:
    try:
        return read_as(store, "commit", oid)
    except EvidenceError:
        return None


def cores() -> int:
    """How many processes can work at once on this machine."""
    return len(os.sched_getaffinity(0))
