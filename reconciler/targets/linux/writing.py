"""Changes to files: WriteFile, SetAccess, WriteSysctl.

Rule 1: A link is never written through (`reconciler.targets.linux.walk`, Rule 2).
Rule 2: Whoever reads the path sees the old file or the new one, whole, also after a power cut.
"""

# Works on directory descriptors, which pathlib does not have.
# ruff: noqa: PTH101

import errno
import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from reconciler.model.operation import SetAccess, WriteFile, WriteSysctl
from reconciler.targets.linux.no_answer import NoAnswer
from reconciler.targets.linux.session import Session
from reconciler.targets.linux.walk import Walk

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_EXISTING = os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
_PIN = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
_SYSCTL_NAME = re.compile(r"[a-z0-9_]+(\.[A-Za-z0-9_@:-]+)+")
_SYSCTL_VALUE = re.compile(r"[!-~][ -~]{0,254}")


def write_file(operation: WriteFile, _session: Session) -> None:
    """Replace or remove a file.

    Raises:
        NoAnswer: There is a link, or something that is no regular file.
        OSError: The system refused.
    """
    with directory_of(operation.path, make=operation.parents) as (directory, name):
        present = _require_replaceable(directory, name)
        if operation.content is None:
            if present:
                os.unlink(name, dir_fd=directory)
        else:
            _replace(directory, name, operation.content, operation)
        os.fsync(directory)


def set_access(operation: SetAccess, _session: Session) -> None:
    """Set mode and owner of a regular file.

    Raises:
        NoAnswer: It is a link, no regular file, or has more than one name: a second name may be a
            user's trick to be given somebody else's file (CWE-62).
        OSError: The system refused.
    """
    with directory_of(operation.path, make=False) as (directory, name):
        pin = os.open(name, _PIN, dir_fd=directory)
        try:
            facts = os.fstat(pin)
            _require_regular(facts.st_mode)
            if facts.st_nlink != 1:
                raise NoAnswer("error", f"file has {facts.st_nlink} names; not changed")
            path = f"/proc/self/fd/{pin}"
            if (facts.st_uid, facts.st_gid) != (operation.uid, operation.gid):
                os.chown(path, operation.uid, operation.gid)
            os.chmod(path, operation.mode)
        finally:
            os.close(pin)


def write_sysctl(operation: WriteSysctl, _session: Session) -> None:
    """Write a kernel parameter.

    Raises:
        NoAnswer: The name or the value is none.
        OSError: There is no such parameter, or the kernel refused the value.
    """
    if _SYSCTL_NAME.fullmatch(operation.name) is None:
        raise NoAnswer("error", f"{operation.name!r:.80} is not the name of a kernel parameter")
    if _SYSCTL_VALUE.fullmatch(operation.value) is None:
        raise NoAnswer("error", "the value of a kernel parameter is one line of printable ASCII")
    descriptor = os.open(f"/proc/sys/{operation.name.replace('.', '/')}", _EXISTING)
    try:
        # One write: the kernel parses each write as a whole value.
        os.write(descriptor, f"{operation.value}\n".encode())
    finally:
        os.close(descriptor)


@contextmanager
def directory_of(path: str, *, make: bool) -> Iterator[tuple[int, str]]:
    """The directory that holds a path, open for reading, and the last name.

    Args:
        path: Absolute, without dots.
        make: Whether missing directories are made, 0755.

    Raises:
        NoAnswer: The path is no such path, or leads through somebody else's link.
        OSError: The system refused.
    """
    parts = path.split("/")
    if parts[0] or len(parts) < 2 or any(part in ("", ".", "..") for part in parts[1:]):
        raise NoAnswer("error", "not an absolute path without dots")
    if "\0" in path:
        raise NoAnswer("error", "path holds a NUL")
    walk = Walk("/", only_trusted_links=True)
    try:
        for part in parts[1:-1]:
            _go(walk, part, make=make)
        directory = os.open(".", _DIRECTORY, dir_fd=walk.here)
        try:
            yield directory, parts[-1]
        finally:
            os.close(directory)
    finally:
        walk.close()


def _go(walk: Walk, part: str, *, make: bool) -> None:
    try:
        walk.to(part)
    except FileNotFoundError:
        if not make:
            raise
        _make_directory(walk.here, part)
        walk.to(part)


def _make_directory(parent: int, name: str) -> None:
    os.mkdir(name, 0o755, dir_fd=parent)
    made = os.open(name, _DIRECTORY, dir_fd=parent)
    try:
        # The mode of mkdir(2) is cut by the umask, which is 077 in a hardened service.
        os.fchmod(made, 0o755)
        os.fsync(made)
    finally:
        os.close(made)


def _require_replaceable(directory: int, name: str) -> bool:
    """Whether there is a file already; anything else is refused."""
    try:
        mode = os.stat(name, dir_fd=directory, follow_symlinks=False).st_mode
    except FileNotFoundError:
        return False
    _require_regular(mode)
    return True


def _require_regular(mode: int) -> None:
    if stat.S_ISLNK(mode):
        raise NoAnswer("error", "is a symbolic link; not followed and not replaced")
    if not stat.S_ISREG(mode):
        raise NoAnswer("error", "is not a regular file")


def _replace(directory: int, name: str, content: bytes, wanted: WriteFile) -> None:
    beside = f".{name[:200]}.{secrets.token_hex(8)}"
    descriptor = os.open(beside, _NEW, 0o600, dir_fd=directory)
    try:
        try:
            _write_whole(descriptor, content)
            facts = os.fstat(descriptor)
            if (facts.st_uid, facts.st_gid) != (wanted.uid, wanted.gid):
                os.fchown(descriptor, wanted.uid, wanted.gid)
            os.fchmod(descriptor, wanted.mode)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(beside, name, src_dir_fd=directory, dst_dir_fd=directory)
    except BaseException:
        with suppress(OSError):
            os.unlink(beside, dir_fd=directory)
        raise


def _write_whole(descriptor: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        written = os.write(descriptor, view)
        if not written:
            raise OSError(errno.EIO, "the system wrote nothing")
        view = view[written:]
