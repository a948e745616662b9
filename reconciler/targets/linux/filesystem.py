"""File systems: StatFilesystem."""

import errno
import os
import re

from reconciler.model.answer import Answer
from reconciler.model.probe import StatFilesystem
from reconciler.targets.linux.no_answer import NoAnswer
from reconciler.targets.linux.session import Session

_MOUNT_ID = re.compile(rb"^mnt_id:\s*([0-9]+)$", re.MULTILINE)
_POINT = os.O_PATH | os.O_CLOEXEC


def stat_filesystem(probe: StatFilesystem, session: Session) -> Answer:
    """Blocks and inodes of the file system a path lies on, and whether it is mounted there."""
    point = os.open(probe.path, _POINT)
    try:
        numbers = os.fstatvfs(point)
        mounted = _is_mount_point(session, point, probe.path)
    finally:
        os.close(point)
    return Answer(
        "ok",
        {
            "blocks": numbers.f_blocks,
            "free": numbers.f_bfree,
            "avail": numbers.f_bavail,
            "frsize": numbers.f_frsize,
            "files": numbers.f_files,
            "files_free": numbers.f_ffree,
            "mounted": mounted,
        },
    )


def _is_mount_point(session: Session, point: int, path: str) -> bool:
    """Whether something is mounted right there, by the ids of the mounts above and below.

    A bind mount of the same file system counts, which comparing device numbers would miss; and the
    kernel need not write down every mount of the machine, as it must for /proc/self/mountinfo.
    """
    try:
        above = os.open("..", _POINT, dir_fd=point)
    except OSError as error:
        if error.errno != errno.ENOTDIR:
            raise
        above = os.open(path.rpartition("/")[0] or "/", _POINT)
    try:
        # The root is its own parent.
        if os.path.samestat(os.fstat(above), os.fstat(point)):
            return True
        return _mount_id(session, above) != _mount_id(session, point)
    finally:
        os.close(above)


def _mount_id(session: Session, descriptor: int) -> int:
    found = _MOUNT_ID.search(session.tree.read(f"/proc/self/fdinfo/{descriptor}", 4096))
    if found is None:
        raise NoAnswer("error", "the kernel does not tell which mount a path lies on")
    return int(found[1])
