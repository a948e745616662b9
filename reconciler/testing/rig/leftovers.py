"""Remove what a test process left behind when it was killed before it could clean up.

Everything a rig makes outside its own directory carries the maker's process id in its name:
``reconciler-<pid>-<what>``. Only names whose maker is gone are touched.
"""

import re
from contextlib import suppress
from pathlib import Path

from reconciler.testing.rig.cgroup import Cgroup, hierarchies
from reconciler.testing.rig.commands import CommandFailed, host

RIG_ROOT = Path("/run/reconciler-rig")
"""Mount points of the guests' scratch file systems, one directory a guest."""

NSPAWN_SHARED = Path("/run/systemd/nspawn/propagate")
"""Where systemd-nspawn keeps a directory for each machine, and leaves it if it is killed."""

_NAME = re.compile(r"reconciler-(\d+)-[a-z0-9-]+")


def sweep() -> None:
    """Remove control groups, mounts and network namespaces of test processes that are gone."""
    for group in {p.name for mount in hierarchies() for p in _orphans(mount)}:
        Cgroup(group).destroy()
    for directory in _orphans(RIG_ROOT):
        remove_scratch(directory)
    for netns in _orphans(Path("/run/netns")):
        with suppress(CommandFailed):
            host("ip", "netns", "delete", netns.name)
    for directory in _orphans(NSPAWN_SHARED):
        directory.rmdir()


def remove_scratch(directory: Path) -> None:
    """Unmount a guest's root and scratch file system, and remove the mount point."""
    for mount in (directory / "root", directory):
        if mount.is_mount():
            host("umount", "--lazy", str(mount))
    directory.rmdir()


def _orphans(parent: Path) -> list[Path]:
    if not parent.is_dir():
        return []
    return [p for p in parent.iterdir() if (m := _NAME.fullmatch(p.name)) and not _alive(m[1])]


def _alive(pid: str) -> bool:
    return Path("/proc", pid).exists()
