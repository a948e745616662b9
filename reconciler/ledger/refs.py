"""Moving a branch: compare-and-swap by Git's own protocol (a lock file that becomes the reference).

Git and libgit2 honour the lock. Doing it here lets the new value reach the disk together with the
objects it points to, and the branch moves only after all of them are there.
"""

import os
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from reconciler.errors import EvidenceError
from reconciler.ledger.durable import flush, on_disk
from reconciler.ledger.ref_files import read_ref

_PATIENCE_S = 0.2
_HINT = "Only this host's reconciler may write this branch; run reconciler verify."


class Swap:
    """One move of one branch; on leaving the ``with`` block without `commit`, nothing has moved."""

    def __init__(self, path: Path, name: str, old: str | None, new: str) -> None:
        """Prepare a move. The caller holds the writer's lock.

        Args:
            path: Directory of the repository.
            name: Full reference name.
            old: Object id it must point to now, None if it must not exist.
            new: Object id it shall point to.
        """
        self._directory = path
        self._reference = path / name
        self._lock = path / f"{name}.lock"
        self._name, self._old, self._new = name, old, new
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Self:
        """Lock the reference and write the new value beside it.

        Raises:
            EvidenceError: It points elsewhere: somebody else wrote.
            MachineError: It cannot be locked.
        """
        with on_disk(self._reference):
            make_directories(self._directory, self._name)
            remove_stale(self._lock)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            self._file = os.fdopen(os.open(self._lock, flags, 0o644), "wb")
            self._file.write(f"{self._new}\n".encode())
            current = read_ref(self._directory, self._name)
        if current != self._old:
            self.__exit__(None, None, None)
            message = f"{self._name} points to {current}, not to {self._old}"
            raise EvidenceError(message, hint=_HINT)
        return self

    @property
    def file(self) -> IO[bytes]:
        """The new value, which must be on the disk before `commit`."""
        if self._file is None:
            raise EvidenceError("reference is not locked", hint=_HINT)
        return self._file

    def commit(self) -> None:
        """Move the branch; it has moved on the disk when this returns.

        Raises:
            MachineError: It cannot be moved.
        """
        with on_disk(self._reference):
            self.file.close()
            self._lock.rename(self._reference)
            self._file = None
            flush(self._reference.parent)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file is not None:
            self._lock.unlink(missing_ok=True)
            # What is still in the buffer was given up, so a full disk does not matter here; the
            # error that led here says what happened.
            with suppress(OSError):
                self._file.close()
            self._file = None


def make_directories(directory: Path, name: str) -> None:
    """Make the directories of a reference that has no file yet; their names are on the disk then.

    This is done before the file has its name, so whoever finds it there knows that they are. They
    may be there without it: from a writer that was killed, or since Git packed the references.

    Args:
        directory: The repository.
        name: Full reference name.

    Raises:
        OSError: They cannot be made.
    """
    reference = directory / name
    if reference.exists():
        return
    reference.parent.mkdir(parents=True, exist_ok=True)
    for above in reference.parent.parents:
        flush(above)
        if above == directory:
            break


def remove_stale(lock: Path) -> None:
    """Remove a reference lock that a crash left; the caller is the only one who may hold it.

    Git's housekeeping holds one for a moment; one that stays the same longer has no owner, because
    the only writer of this branch is who holds the writer's lock.
    """
    try:
        before = lock.stat()
        time.sleep(_PATIENCE_S)
        after = lock.stat()
    except FileNotFoundError:
        return
    if (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns):
        lock.unlink(missing_ok=True)
