"""The expectations document of a system in the store: what its configuration declares.

Rule 1: A document decides what drift is, so it is read from a path that Nix holds for valid and
        that has the NAR hash a release named. A folder that merely has that name is nothing.
Rule 2: A store path never changes, so a document is read and parsed once.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reconciler.errors import InputError, MachineError
from reconciler.model.answer import Answer
from reconciler.model.system import InForce, TrustedSystem

_RUNNING = "run/current-system"
_KEPT = 4


def require_readable(root: str, path: str) -> None:
    """That what a system in the store declares can be read here, if it declares anything.

    Args:
        root: What the store lies under.
        path: Store path of the system.

    Raises:
        InputError: Its document is of another version, not whole, or speaks of another system.
        MachineError: It cannot be read.
    """
    _parsed(root, path)


@dataclass(slots=True)
class Documents:
    """Documents that were read, by root, store path and NAR hash."""

    read: dict[tuple[str, str, str], Mapping[str, Any]] = field(default_factory=dict)

    def answer(self, root: str, system: TrustedSystem, before: InForce | None) -> Answer:
        """What is declared for a machine.

        The trusted system says it, or, while that is not in the store, the one that runs, if it was
        trusted before.

        Args:
            root: Where the machine's files are.
            system: The one that is trusted.
            before: What the ledger remembers; knows the ones before.
        """
        try:
            found = self._of(root, system.path, system.nar_sha256)
            if isinstance(found, Mapping):
                return Answer("ok", {"system": system.path, "document": found})
            return self._of_running(root, before) or Answer("absent", reason=found)
        except (InputError, MachineError) as error:
            return Answer("error", reason=error.message)

    def _of_running(self, root: str, before: InForce | None) -> Answer | None:
        running = _link(Path(root) / _RUNNING)
        known = dict(before.before) if before is not None else {}
        if running is None or running not in known:
            return None
        found = self._of(root, running, known[running])
        if isinstance(found, str):
            return None
        return Answer("ok", {"system": running, "document": found})

    def _of(self, root: str, path: str, nar_sha256: str) -> Mapping[str, Any] | str:
        """A document, or why there is none.

        Raises:
            InputError: It is one of another version, or not one at all.
            MachineError: The Nix database cannot be read.
        """
        key = (root, path, nar_sha256)
        if key not in self.read:
            why = _not_valid(root, path, nar_sha256)
            if why is not None:
                return why
            found = _parsed(root, path)
            if found is None:
                return f"{path} has no expectations document"
            while len(self.read) >= _KEPT:
                del self.read[next(iter(self.read))]
            self.read[key] = found
        return self.read[key]


def _not_valid(root: str, path: str, nar_sha256: str) -> str | None:
    # Imported where a NixOS host is looked at: no other has such a database.
    from reconciler.nix.database import open_database  # noqa: PLC0415

    if not (Path(root) / path.lstrip("/")).is_dir():
        return f"{path} is not in the store yet"
    with open_database(root) as database:
        info = database.info(path)
    if info is None:
        return f"{path} is not in the store yet"
    return None if info.nar_sha256 == nar_sha256 else f"{path} is not what the release named"


def _parsed(root: str, path: str) -> Mapping[str, Any] | None:
    from reconciler.model.expected import MAX_BYTES, PLACE, parse  # noqa: PLC0415 - as above

    folder = (Path(root) / path.lstrip("/")).resolve()
    file = folder / PLACE
    try:
        if file.resolve(strict=True) != file:
            raise InputError(f"{path}/{PLACE} is a link", hint="Build the system again.")
        with file.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        message = f"{path}/{PLACE} cannot be read: {error.strerror}"
        raise MachineError(message, hint="Let this user read the store.") from error
    document = parse(data)
    if document.get("system") != path:
        message = f"{path}/{PLACE} speaks of another system"
        raise InputError(message, hint="Build the system again.")
    return document


def _link(path: Path) -> str | None:
    try:
        return str(path.readlink())
    except OSError:
        return None
