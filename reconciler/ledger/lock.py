"""One writer a host: a lock that dies with its process, so a crash cannot leave it behind."""

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from reconciler.errors import Busy
from reconciler.ledger.durable import on_disk


class HostLock:
    """A ``flock`` on a file, held from ``acquire`` (or ``with``) until ``release``.

    The file says who holds it, for people; the lock itself is the kernel's. The file stays, because
    removing it would let two processes lock two files of the same name.
    """

    def __init__(self, path: Path) -> None:
        """Args: path: The lock file; made if it is not there, in a directory that is."""
        self._path = path
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock, or fail at once.

        Raises:
            Busy: Another process holds it; its id is in the message.
            MachineError: The file cannot be made.
        """
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        with on_disk(self._path):
            descriptor = os.open(self._path, flags, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Of one width, so that writing needs no truncation, which would wait for the disk.
            os.pwrite(descriptor, f"{os.getpid():<15}\n".encode(), 0)
        except BlockingIOError as error:
            holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(descriptor)
            message = f"{self._path} is held by process {holder}"
            raise Busy(message, hint="Wait for that run, or stop it.") from error
        except OSError:
            os.close(descriptor)
            with on_disk(self._path):
                raise
        self._descriptor = descriptor

    def release(self) -> None:
        """Let go of the lock, if it is held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()
