"""How a ledger and its remote stand to each other, decided from commits alone.

Rule 1: Only a remote that holds the beginning of our history is pushed to.
Rule 2: A remote that holds something else is evidence of a restored copy or of two histories; it is
        for a person, and nothing is overwritten.
"""

from dataclasses import dataclass
from enum import StrEnum

from reconciler.errors import EvidenceError
from reconciler.evidence.commit import parents_of
from reconciler.evidence.source import ObjectSource, read_as


class Relation(StrEnum):
    """What a remote's branch is to ours."""

    EQUAL = "equal"
    BEHIND = "behind"
    """It holds the beginning of ours."""
    AHEAD = "ahead"
    """Ours is the beginning of it."""
    DIVERGED = "diverged"
    """Both hold what the other does not."""
    UNKNOWN = "ahead-or-diverged"
    """Its newest commit is not in our repository: only a fetch can tell which."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How two branches stand to each other.

    Attributes:
        relation: What the remote's is to ours.
        pending: Commits that the remote lacks, oldest first; only if it is behind.
    """

    relation: Relation
    pending: tuple[str, ...] = ()


def compare(source: ObjectSource, local: str, remote: str | None) -> Standing:
    """Compare two tips of one branch.

    Args:
        source: Our objects.
        local: Our tip.
        remote: The remote's tip, None if it has no such branch.

    Raises:
        EvidenceError: Our own history cannot be read, or is not linear.
    """
    if local == remote:
        return Standing(Relation.EQUAL)
    if remote is not None and not _has(source, remote):
        return Standing(Relation.UNKNOWN)
    pending = _back_to(source, local, remote)
    if pending is not None:
        return Standing(Relation.BEHIND, tuple(reversed(pending)))
    ahead = remote is not None and _back_to(source, remote, local) is not None
    return Standing(Relation.AHEAD if ahead else Relation.DIVERGED)


def _has(source: ObjectSource, oid: str) -> bool:
    try:
        source.read(oid)
    except EvidenceError:
        return False
    return True


def _back_to(source: ObjectSource, tip: str, wanted: str | None) -> list[str] | None:
    """Commits from a tip back to one that is not included; None if it is not on the way."""
    passed: list[str] = []
    at: str | None = tip
    while at is not None and at != wanted:
        passed.append(at)
        at = _parent(source, at)
    return passed if at == wanted else None


def _parent(source: ObjectSource, oid: str) -> str | None:
    parents = parents_of(read_as(source, "commit", oid))
    if len(parents) > 1:
        message = f"commit {oid} has {len(parents)} parents"
        raise EvidenceError(message, hint="A ledger is linear: run reconciler verify.")
    return parents[0] if parents else None
