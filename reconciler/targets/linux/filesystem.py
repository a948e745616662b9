"""File systems: StatFilesystem."""

import os

from reconciler.model.answer import Answer
from reconciler.model.probe import StatFilesystem
from reconciler.targets.linux.session import Session

_MOUNTINFO_LIMIT = 4 * 1024 * 1024


def stat_filesystem(probe: StatFilesystem, session: Session) -> Answer:
    """Blocks and inodes of the file system a path lies on, and whether it is mounted there."""
    numbers = os.statvfs(probe.path)
    return Answer(
        "ok",
        {
            "blocks": numbers.f_blocks,
            "free": numbers.f_bfree,
            "avail": numbers.f_bavail,
            "frsize": numbers.f_frsize,
            "files": numbers.f_files,
            "files_free": numbers.f_ffree,
            "mounted": is_mount_point(
                session.tree.read("/proc/self/mountinfo", _MOUNTINFO_LIMIT), probe.path
            ),
        },
    )


def is_mount_point(mountinfo: bytes, path: str) -> bool:
    """Whether a path is the mount point of a line of /proc/self/mountinfo (proc(5), field 5).

    A bind mount of the same file system counts, which comparing device numbers would miss.
    """
    wanted = _escaped(path)
    if b" " + wanted + b" " not in mountinfo:
        return False
    return any(line.split(b" ", 5)[4] == wanted for line in mountinfo.splitlines())


def _escaped(path: str) -> bytes:
    plain = (path.rstrip("/") or "/").encode("utf-8", "surrogateescape")
    for character in (b"\\", b" ", b"\t", b"\n"):
        plain = plain.replace(character, b"\\%03o" % character[0])
    return plain
