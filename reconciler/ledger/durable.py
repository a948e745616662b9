"""Making sure that bytes are on the disk, and saying plainly when the machine would not do it."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from reconciler.errors import MachineError

_HINTS = {
    errno.ENOSPC: "Free space on that file system; nothing was lost, nothing was done.",
    errno.EDQUOT: "Raise the quota or free space; nothing was lost, nothing was done.",
    errno.EROFS: "That file system is read-only: see the kernel log for disk errors.",
    errno.EACCES: "Run as the user that owns it.",
    errno.ENOENT: "Make the directory first that it is to be in.",
    errno.EPERM: "Run as the user that owns it.",
}
_OTHER = "See the kernel log for disk errors, and the rights on that path."


def flush(what: IO[bytes] | Path) -> None:
    """Wait until an open file, or a directory and the names in it, are on the disk."""
    if not isinstance(what, Path):
        what.flush()
        os.fsync(what.fileno())
        return
    descriptor = os.open(what, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def on_disk(path: Path) -> Iterator[None]:
    """Turn what the operating system refuses into a `MachineError` that names the path.

    Raises:
        MachineError: Disk full, read-only, no permission, or another error of the system.
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        place = error.filename or path
        hint = _HINTS.get(error.errno or 0, _OTHER)
        raise MachineError(f"cannot write {place}: {reason}", hint=hint) from error
