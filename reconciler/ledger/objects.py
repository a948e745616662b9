"""Raw objects of a repository, each proven to hash to its name, and its references.

Not through libgit2 (1.9.7): one flipped byte in a loose object can make it loop for ever, and one
in the index of a pack can end the process. Auditors open what somebody may have prepared.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from reconciler.errors import EvidenceError, LedgerMissing
from reconciler.evidence.source import object_id
from reconciler.ledger import loose
from reconciler.ledger.pack_reader import PackReader
from reconciler.ledger.ref_files import read_ref, read_refs

_HINT = "Restore the object from a clone: objects are named by their content."


def repository_directory(path: Path) -> Path:
    """The directory that holds ``objects``: exactly here, or ``.git`` here, never further up.

    Raises:
        LedgerMissing: There is no repository.
    """
    for directory in (path, path / ".git"):
        if all((directory / name).is_dir() for name in ("objects", "refs")):
            return directory
    hint = "Give the directory of the evidence repository; restore it from its remote if lost."
    raise LedgerMissing(f"no ledger at {path}", hint=hint)


class ObjectStore:
    """A `reconciler.evidence.source.ObjectSource` over a repository on disk."""

    def __init__(self, directory: Path, seen: set[bytes] | None = None) -> None:
        """Read from a repository.

        Args:
            directory: The repository directory (the one that holds ``objects``).
            seen: Collects the binary ids of all objects that are read and proven.
        """
        self._directory = directory
        self._objects = directory / "objects"
        self._packs: list[PackReader] = []
        self._last_was_packed = False
        self._seen = seen

    def read(self, oid: str) -> tuple[str, bytes]:
        """Type and raw content of an object.

        Raises:
            EvidenceError: Missing, damaged, larger than 8 MiB, or it hashes to something else.
        """
        try:
            found = self._known_packs(oid) if self._last_was_packed else None
            kind, raw = found or self._anywhere(oid)
        except OSError as error:
            message = f"object {oid} cannot be read: {error.strerror}"
            raise EvidenceError(message, hint=_HINT) from error
        if self._seen is not None:
            self._seen.add(bytes.fromhex(oid))
        return kind, raw

    def ref(self, name: str) -> str | None:
        """The object id that a full reference name points to, None if there is no such name.

        Raises:
            EvidenceError: It cannot be read.
        """
        with _readable():
            return read_ref(self._directory, name)

    def refs(self) -> Mapping[str, str]:
        """All references with their object ids; one that leads nowhere is all zeros.

        Raises:
            EvidenceError: They cannot be read.
        """
        with _readable():
            return read_refs(self._directory)

    def _loose(self, oid: str) -> tuple[str, bytes]:
        try:
            return loose.read(f"{self._objects}/{oid[:2]}/{oid[2:]}", oid)
        except EvidenceError as error:
            raise EvidenceError(f"object {oid} {error.message}", hint=_HINT) from error

    def _anywhere(self, oid: str) -> tuple[str, bytes]:
        try:
            found: tuple[str, bytes] | None = self._loose(oid)
            self._last_was_packed = False
        except FileNotFoundError:
            found = self._known_packs(oid)
            if found is None:
                # Housekeeping may have moved it into a new pack since we last looked.
                indexes = sorted(self._objects.glob("pack/*.idx"))
                self._packs = [PackReader(index) for index in indexes]
                found = self._known_packs(oid)
            # Neighbours lie together: look there first next time.
            self._last_was_packed = True
        if found is None:
            raise EvidenceError(f"object {oid} is not there", hint=_HINT)
        return found

    def _known_packs(self, oid: str) -> tuple[str, bytes] | None:
        for pack in self._packs:
            found = pack.read(bytes.fromhex(oid))
            if found is not None:
                if object_id(*found) != oid:
                    raise EvidenceError(f"object {oid} does not hash to its name", hint=_HINT)
                return found
        return None


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        hint = "Restore packed-refs and refs/ from a clone."
        raise EvidenceError(f"references cannot be read: {error}", hint=hint) from error
