# Works on directory descriptors, which pathlib does not have.
# ruff: noqa: PTH115, PTH116
"""Ways into a tree of files: the machine's own, or an image that must not lead out of itself.

Rule 1: An image is walked from inside (`reconciler.targets.linux.walk`).
Rule 2: Nothing is opened for reading before it is known to be a regular file or a directory: to
open a FIFO can hang, and to open a device can act (a watchdog starts, a tape rewinds).
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from reconciler.targets.linux.no_answer import NoAnswer
from reconciler.targets.linux.walk import Walk

MAX_ENTRIES = 65_536

_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_LIST = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_OF_A_RUNNING_SYSTEM = frozenset({"proc", "sys", "dev", "run"})


class NotRegular(NoAnswer):
    """There is something, and it is not a regular file."""


class Tree(Protocol):
    """What files can be asked for. Paths are absolute; every method may raise OSError."""

    def read(self, path: str, limit: int) -> bytes:
        """Content of a regular file, links followed.

        Raises:
            NoAnswer: Not a regular file, or larger than ``limit`` bytes.
        """
        ...

    def head(self, path: str, length: int) -> bytes:
        """First bytes of a regular file, links followed.

        Raises:
            NoAnswer: Not a regular file.
        """
        ...

    def lstat(self, path: str) -> os.stat_result:
        """Facts about the path itself."""
        ...

    def readlink(self, path: str) -> str:
        """Target of a symbolic link, as written."""
        ...

    def names(self, path: str) -> list[str]:
        """Names in a directory, sorted, links followed.

        Raises:
            NoAnswer: More than 65,536.
        """
        ...


class HostTree:
    """The files of this machine."""

    def read(self, path: str, limit: int) -> bytes:
        """See `Tree`."""
        _require_regular(os.stat(path))
        return _read_and_close(os.open(path, _READ), limit)

    def head(self, path: str, length: int) -> bytes:
        """See `Tree`."""
        _require_regular(os.stat(path))
        return _head_and_close(os.open(path, _READ), length)

    def lstat(self, path: str) -> os.stat_result:
        """See `Tree`."""
        return os.lstat(path)

    def readlink(self, path: str) -> str:
        """See `Tree`."""
        return os.readlink(path)

    def names(self, path: str) -> list[str]:
        """See `Tree`."""
        return _list_names(path)


class ImageTree:
    """A directory that is looked at as if it were ``/`` (Rule 1)."""

    def __init__(self, root: str) -> None:
        """Nothing is opened yet.

        Args:
            root: Path of the directory on this machine.
        """
        self._root = root

    def read(self, path: str, limit: int) -> bytes:
        """See `Tree`."""
        with self._pinned(path, follow=True) as pin:
            _require_regular(os.fstat(pin))
            # The descriptor pins the inode; opening it through /proc cannot name another file.
            return _read_and_close(os.open(f"/proc/self/fd/{pin}", _READ), limit)

    def head(self, path: str, length: int) -> bytes:
        """See `Tree`."""
        with self._pinned(path, follow=True) as pin:
            _require_regular(os.fstat(pin))
            return _head_and_close(os.open(f"/proc/self/fd/{pin}", _READ), length)

    def lstat(self, path: str) -> os.stat_result:
        """See `Tree`."""
        with self._pinned(path, follow=False) as pin:
            return os.fstat(pin)

    def readlink(self, path: str) -> str:
        """See `Tree`."""
        with self._pinned(path, follow=False) as pin:
            if not stat.S_ISLNK(os.fstat(pin).st_mode):
                raise OSError(errno.EINVAL, "not a symbolic link")
            return os.readlink("", dir_fd=pin)

    def names(self, path: str) -> list[str]:
        """See `Tree`."""
        with self._pinned(path, follow=True) as pin:
            directory = os.open(f"/proc/self/fd/{pin}", _LIST)
            try:
                return _list_names(directory)
            finally:
                os.close(directory)

    @contextmanager
    def _pinned(self, path: str, *, follow: bool) -> Iterator[int]:
        if path.split("/", 2)[1] in _OF_A_RUNNING_SYSTEM:
            raise NoAnswer("unsupported", "a directory tree has no running system")
        walk = Walk(self._root)
        try:
            yield walk.to(path, follow=follow)
        finally:
            walk.close()


def _require_regular(facts: os.stat_result) -> None:
    mode = facts.st_mode
    if stat.S_ISREG(mode):
        return
    kinds = ((stat.S_ISDIR, "a directory"), (stat.S_ISFIFO, "a FIFO"), (stat.S_ISSOCK, "a socket"))
    kind = next((word for test, word in kinds if test(mode)), "a device")
    raise NotRegular("error", f"not a regular file but {kind}")


def _read_and_close(descriptor: int, limit: int) -> bytes:
    try:
        facts = os.fstat(descriptor)
        _require_regular(facts)
        return _read_whole(descriptor, facts.st_size, limit)
    finally:
        os.close(descriptor)


def _head_and_close(descriptor: int, length: int) -> bytes:
    try:
        _require_regular(os.fstat(descriptor))
        return os.read(descriptor, length)
    finally:
        os.close(descriptor)


def _read_whole(descriptor: int, size: int, limit: int) -> bytes:
    # Files of /proc say they are empty, so a size is a hint; only an empty read is the end.
    if size > limit:
        raise NoAnswer("error", f"larger than {limit} bytes")
    data = os.read(descriptor, min(limit, size or 4096) + 1)
    if len(data) == size:
        return data
    pieces, total = [data], len(data)
    while data and total <= limit:
        data = os.read(descriptor, limit + 1 - total)
        pieces.append(data)
        total += len(data)
    if total > limit:
        raise NoAnswer("error", f"larger than {limit} bytes")
    return b"".join(pieces)


def _list_names(directory: str | int) -> list[str]:
    names = []
    with os.scandir(directory) as entries:
        for entry in entries:
            names.append(entry.name)
            if len(names) > MAX_ENTRIES:
                raise NoAnswer("error", f"directory holds more than {MAX_ENTRIES} entries")
    return sorted(names)
