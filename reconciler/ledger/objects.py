"""Raw objects of a repository through libgit2, each proven to hash to its name by us."""

from collections.abc import Mapping
from pathlib import Path

import pygit2
from pygit2.enums import ObjectType, ReferenceType, RepositoryOpenFlag

from reconciler.errors import EvidenceError, LedgerMissing
from reconciler.evidence.source import object_id
from reconciler.ledger.loose import MAX_OBJECT

_KINDS = {
    ObjectType.COMMIT: "commit",
    ObjectType.TREE: "tree",
    ObjectType.BLOB: "blob",
    ObjectType.TAG: "tag",
}
_HINT = "Restore the object from a clone: objects are named by their content."
_DANGLING = "0" * 40


def open_repository(path: Path) -> pygit2.Repository:
    """Open a repository exactly here, never one further up.

    Raises:
        LedgerMissing: There is none, or it may not be opened by this user.
    """
    try:
        return pygit2.Repository(str(path), RepositoryOpenFlag.NO_SEARCH)
    except (pygit2.GitError, OSError) as error:
        hint = "Give the directory of the evidence repository; restore it from its remote if lost."
        raise LedgerMissing(f"no ledger at {path}: {error}", hint=hint) from error


class ObjectStore:
    """A `reconciler.evidence.source.ObjectSource` over a repository on disk."""

    def __init__(self, repository: pygit2.Repository, seen: set[bytes] | None = None) -> None:
        """Read from a repository.

        Args:
            repository: An open repository.
            seen: Collects the binary ids of all objects that are read and proven.
        """
        self._repository = repository
        self._objects = repository.odb
        self._seen = seen

    def read(self, oid: str) -> tuple[str, bytes]:
        """Type and raw content of an object.

        Raises:
            EvidenceError: Missing, damaged, larger than 8 MiB, or it hashes to something else.
        """
        try:
            kind, raw = self._read(pygit2.Oid(hex=oid))
        except (pygit2.GitError, KeyError, ValueError) as error:
            raise EvidenceError(f"object {oid} cannot be read: {error}", hint=_HINT) from error
        if object_id(kind, raw) != oid:
            raise EvidenceError(f"object {oid} does not hash to its name", hint=_HINT)
        if self._seen is not None:
            self._seen.add(bytes.fromhex(oid))
        return kind, raw

    def ref(self, name: str) -> str | None:
        """The object id that a full reference name points to, None if there is no such name."""
        try:
            reference = self._repository.references.get(name)
        except (pygit2.GitError, ValueError) as error:
            raise EvidenceError(f"{name} cannot be read: {error}", hint=_HINT) from error
        return None if reference is None else _target(reference)

    def refs(self) -> Mapping[str, str]:
        """All references with their object ids; one that leads nowhere is all zeros."""
        found = {}
        try:
            for reference in self._repository.references.iterator():
                found[reference.name] = _target(reference)
        except (pygit2.GitError, KeyError, ValueError) as error:
            hint = "Restore HEAD, packed-refs and refs/ from a clone."
            raise EvidenceError(f"references cannot be read: {error}", hint=hint) from error
        return found

    def _read(self, oid: pygit2.Oid) -> tuple[str, bytes]:
        # A few kilobytes can inflate to gigabytes: ask for the size first.
        _, size = self._objects.read_header(oid)
        if size > MAX_OBJECT:
            raise ValueError(f"{size} bytes is too large")
        kind, raw = self._objects.read(oid)
        return _KINDS[ObjectType(kind)], raw


def _target(reference: pygit2.Reference) -> str:
    try:
        while reference.type == ReferenceType.SYMBOLIC:
            reference = reference.resolve()
    except (pygit2.GitError, KeyError):
        return _DANGLING
    return str(reference.target)
