"""Objects of a push that git holds in quarantine, on top of what the repository has.

libgit2 does not read ``GIT_OBJECT_DIRECTORY``; our readers take any directory. Nothing is borrowed
from anywhere else: an object that is in neither place would not be there after the push either.
"""

from collections.abc import Mapping
from pathlib import Path

from reconciler.errors import EvidenceError
from reconciler.evidence.source import object_id
from reconciler.ledger import loose
from reconciler.ledger.objects import ObjectStore
from reconciler.ledger.pack_reader import PackReader

_HINT = "Run this from the pre-receive hook of git 2.11 or newer, in its own repository."


class IncomingStore:
    """A `reconciler.evidence.source.ObjectSource` over a repository and one quarantine."""

    def __init__(self, repository: Path, quarantine: Path) -> None:
        """Read from both.

        Args:
            repository: The repository directory (the one that holds ``objects``).
            quarantine: What git names in ``GIT_QUARANTINE_PATH``.

        Raises:
            EvidenceError: The quarantine is not one of this repository, or cannot be read.
        """
        self._objects = quarantine.resolve()
        if self._objects.parent != (repository / "objects").resolve():
            message = f"{quarantine} is not a quarantine of {repository}"
            raise EvidenceError(message, hint=_HINT)
        self._store = ObjectStore(repository)
        self._packs = [PackReader(index) for index in sorted(self._objects.glob("pack/*.idx"))]

    def read(self, oid: str) -> tuple[str, bytes]:
        """Type and raw content of an object.

        Raises:
            EvidenceError: Missing, damaged, too large, or it hashes to something else.
        """
        return self._quarantined(oid) or self._store.read(oid)

    def ref(self, name: str) -> str | None:
        """What a reference points to before the push."""
        return self._store.ref(name)

    def refs(self) -> Mapping[str, str]:
        """All references before the push."""
        return self._store.refs()

    def _quarantined(self, oid: str) -> tuple[str, bytes] | None:
        try:
            return loose.read(f"{self._objects}/{oid[:2]}/{oid[2:]}", oid)
        except FileNotFoundError:
            pass
        except OSError as error:
            message = f"object {oid} cannot be read: {error.strerror}"
            raise EvidenceError(message, hint=_HINT) from error
        for pack in self._packs:
            found = pack.read(bytes.fromhex(oid))
            if found is not None:
                if object_id(*found) != oid:
                    raise EvidenceError(f"object {oid} does not hash to its name", hint=_HINT)
                return found
        return None
