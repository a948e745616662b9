"""Raw objects of a repository, each proven to hash to its name, and its references.

Not through libgit2 (1.9.7): one flipped byte in a loose object can make it loop for ever, and one
in the index of a pack can end the process. Auditors open what somebody may have prepared.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from hashlib import sha1
from pathlib import Path

from reconciler.errors import EvidenceError, LedgerMissing
from reconciler.evidence.source import framed
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
        name = bytes.fromhex(oid)
        try:
            found = self._known_packs(name) if self._last_was_packed else None
            if found is None:
                found = self._anywhere(oid, name)
        except OSError as error:
            message = f"object {oid} cannot be read: {error.strerror}"
            raise EvidenceError(message, hint=_HINT) from error
        if self._seen is not None:
            self._seen.add(name)
        return found

    def packs(self) -> list[PackReader]:
        """All packs that are there now.

        Raises:
            EvidenceError: One of them cannot be opened.
        """
        self._look_again()
        return list(self._packs)

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

    def _anywhere(self, oid: str, name: bytes) -> tuple[str, bytes]:
        try:
            found: tuple[str, bytes] | None = self._loose(oid)
            self._last_was_packed = False
        except FileNotFoundError:
            found = self._known_packs(name)
            if found is None:
                # Housekeeping may have moved it into a new pack since we last looked.
                self._look_again()
                found = self._known_packs(name)
            # Neighbours lie together: look there first next time.
            self._last_was_packed = True
        if found is None:
            raise EvidenceError(f"object {oid} is not there", hint=_HINT)
        return found

    def _known_packs(self, name: bytes) -> tuple[str, bytes] | None:
        for place, pack in enumerate(self._packs):
            found = pack.read(name)
            if found is not None:
                if place:
                    # Neighbours lie together: ask this one first next time.
                    self._packs.insert(0, self._packs.pop(place))
                prove(name, found)
                return found
        return None

    def _look_again(self) -> None:
        """Open the packs that came, and let go of those that went."""
        known = {pack.name: pack for pack in self._packs}
        packs = []
        for index in sorted(self._objects.glob("pack/*.idx")):
            pack = known.get(index.stem)
            # One that is removed right now was merged into another, which the listing may lack.
            with suppress(FileNotFoundError):
                packs.append(PackReader(index) if pack is None else pack)
        self._packs = packs


def prove(name: bytes, found: tuple[str, bytes]) -> None:
    """Compare an object with its name.

    Args:
        name: Binary object id.
        found: Type and content.

    Raises:
        EvidenceError: It does not hash to its name.
    """
    if sha1(framed(*found), usedforsecurity=False).digest() != name:
        raise EvidenceError(f"object {name.hex()} does not hash to its name", hint=_HINT)


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        hint = "Restore packed-refs and refs/ from a clone."
        raise EvidenceError(f"references cannot be read: {error}", hint=hint) from error
