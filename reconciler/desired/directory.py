"""A fleet repository from a directory on disk, for people who check before they commit.

The appliance never reads a work tree: it reads the files of a commit that was verified.
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from reconciler.desired import layout
from reconciler.desired.fleet import MAX_FILES, MAX_TOTAL_BYTES
from reconciler.desired.strict_yaml import MAX_BYTES
from reconciler.errors import InputError, MachineError, Where

MAX_LEVELS = 8


def read_directory(path: Path) -> dict[str, bytes]:
    """Every file of desired state under a directory.

    A file that is too large is read one byte past the limit, so that it is reported as such.

    Returns:
        Content by path relative to the directory.

    Raises:
        InputError: There is no such directory, it holds no desired state, a link, a device, or
            too much.
        MachineError: Something in it cannot be read.
    """
    if not path.is_dir():
        raise InputError(
            "is not a directory",
            hint="Give the root of a fleet repository: the folder that holds hosts/ and policies/.",
            where=Where(str(path)),
        )
    files: dict[str, bytes] = {}
    total = 0
    for file in _walk(path):
        name = file.relative_to(path).as_posix()
        files[name] = _read(file, name)
        total += len(files[name])
        if len(files) > MAX_FILES or total > MAX_TOTAL_BYTES:
            raise InputError(
                f"holds more than {MAX_FILES:,} files or {MAX_TOTAL_BYTES // 2**20} MiB",
                hint="Is this a fleet repository?",
                where=Where(str(path)),
            )
    if not files:
        raise InputError(
            "holds no desired state",
            hint=f"A fleet repository has {', '.join(f'{root}/' for root in layout.ROOTS)}.",
            where=Where(str(path)),
        )
    return files


def _walk(root: Path) -> Iterator[Path]:
    """Policy files, in order. A link is refused: what is checked must be what is committed."""
    pending = [root / name for name in reversed(layout.ROOTS) if os.path.lexists(root / name)]
    while pending:
        path = pending.pop()
        name = path.relative_to(root).as_posix()
        mode = _mode(path, name)
        if stat.S_ISDIR(mode) and name.count("/") < MAX_LEVELS:
            pending.extend(sorted(_children(path, name), reverse=True))
        elif layout.is_policy(name) and stat.S_ISREG(mode):
            yield path
        elif stat.S_ISDIR(mode) or stat.S_ISLNK(mode) or layout.is_policy(name):
            raise InputError(
                "is not a regular file",
                hint="Links, devices and deeper folders have no place in a fleet repository.",
                where=Where(name),
            )


def _mode(path: Path, name: str) -> int:
    try:
        return path.lstat().st_mode
    except OSError as failed:
        raise _unreadable(failed, name) from failed


def _children(path: Path, name: str) -> list[Path]:
    try:
        return list(path.iterdir())
    except OSError as failed:
        raise _unreadable(failed, name) from failed


def _read(path: Path, name: str) -> bytes:
    """Read without following a link that appeared since, and without waiting on a pipe."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except OSError as failed:
        raise _unreadable(failed, name) from failed


def _unreadable(failed: OSError, name: str) -> MachineError:
    return MachineError(
        f"cannot be read: {failed.strerror}",
        hint="Check the file's owner and mode.",
        where=Where(name),
    )
