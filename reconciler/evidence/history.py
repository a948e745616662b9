"""A branch from its newest entry back to genesis, one proven step at a time.

Both the audit and the ledger itself read history through this one walk, so what the appliance
believes about its past is what an auditor would accept.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from reconciler.errors import EvidenceError
from reconciler.evidence import commit as commits
from reconciler.evidence.commit import Commit
from reconciler.evidence.entry import FIRST_SEQ
from reconciler.evidence.fault import Code, Fault, Place
from reconciler.evidence.follow import follows
from reconciler.evidence.record import Branch, Examiner, Record
from reconciler.evidence.source import ObjectSource, read_as


@dataclass(frozen=True, slots=True)
class Step:
    """One commit of a branch.

    Attributes:
        commit: Object id, 40 hex digits.
        record: What it proves, None if it proves nothing.
        faults: Everything wrong with it, or between it and its parent.
    """

    commit: str
    record: Record | None
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class _Loaded:
    """A commit as far as it could be read; only ``commit`` is trusted."""

    oid: str
    commit: Commit | None
    tree: str | None
    parent: str | None
    faults: tuple[Fault, ...]


def history(
    source: ObjectSource, branch: Branch, tip: str, *, until: str | None = None
) -> Iterator[Step]:
    """Walk a branch, newest first, through everything that can still be followed.

    A commit that is refused as a whole is a fault and the walk goes on behind it; it ends at a
    commit without a parent or at one that cannot be read.

    Args:
        source: Where the objects are.
        branch: Whose branch, and who may sign.
        tip: Object id of its newest commit.
        until: Object id of the last commit wanted; what lies before it is somebody else's, and
            so is whether it follows that.
    """
    examiner = Examiner(source, branch)
    loaded: _Loaded | None = _load(source, tip)
    child: Step | None = None
    while loaded is not None:
        parent = None if loaded.parent is None else _load(source, loaded.parent)
        step = _examine(examiner, loaded, parent)
        if child is not None:
            yield _joined(child, step)
        if loaded.oid == until:
            yield step
            return
        child, loaded = step, parent
    if child is not None:
        yield _ended(child)


def _load(source: ObjectSource, oid: str) -> _Loaded:
    place = Place(commit=oid)
    try:
        raw = read_as(source, "commit", oid)
    except EvidenceError as error:
        return _Loaded(oid, None, None, None, (Fault(Code.OBJECT, place, error.message),))
    try:
        commit = commits.parse(raw)
    except EvidenceError as error:
        fault = Fault(Code.COMMIT_FORM, place, error.message)
        parent = next(iter(commits.parents_of(raw)), None)
        return _Loaded(oid, None, commits.tree_of(raw), parent, (fault,))
    return _Loaded(oid, commit, commit.tree, next(iter(commit.parents), None), ())


def _examine(examiner: Examiner, loaded: _Loaded, parent: _Loaded | None) -> Step:
    if loaded.commit is None:
        return Step(loaded.oid, None, loaded.faults)
    if parent is not None and parent.tree is None:
        message = f"cannot be compared with its parent {parent.oid}"
        fault = Fault(Code.TREE, Place(commit=loaded.oid), message)
        return Step(loaded.oid, None, (fault,))
    before = None if parent is None else parent.tree
    record, faults = examiner.examine(loaded.oid, loaded.commit, before)
    return Step(loaded.oid, record, tuple(faults))


def _joined(child: Step, parent: Step) -> Step:
    if child.record is None or parent.record is None:
        return child
    faults = follows(child.record, parent.record)
    return replace(child, faults=(*child.faults, *faults)) if faults else child


def _ended(oldest: Step) -> Step:
    if oldest.record is not None and oldest.record.entry.seq == FIRST_SEQ:
        return oldest
    message = "history ends here, and this is not a proven first entry"
    return replace(
        oldest, faults=(*oldest.faults, Fault(Code.GENESIS, Place(commit=oldest.commit), message))
    )
