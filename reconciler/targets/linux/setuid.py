"""Files that run with the rights of another: SetuidFiles.

NixOS makes them in one place (/run/wrappers) and nowhere else: the store cannot hold one. So any
other is worth a name. To walk every file system at each look would cost seconds, so a look walks
for a while and the next goes on; the first one gets more time, for a machine that was just
installed has few files.

Rule 1: Walked is what could hold such a file and let it work: mounted neither ``nosuid`` nor
        read-only, on a disk or in memory. File systems of a network are not.
Rule 2: What was found is looked at anew each time, so a file that is gone is gone.
Rule 3: Nix puts no such file into the store, and no hash of a path tells that root has made one
        there. So it is walked as well where it is not ``nosuid``; but it has a million files, so
        nothing waits for that, and the other walk goes first.
"""

import os
import stat
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from reconciler.model.answer import Answer
from reconciler.model.nixos_probe import SetuidFiles
from reconciler.targets.linux.capabilities import file_capabilities
from reconciler.targets.linux.mount_table import Mounted, hidden_place, mount_table
from reconciler.targets.linux.no_answer import NoAnswer
from reconciler.targets.linux.session import Session

FIRST_S = 2.0
UNFINISHED_S = 0.2
LATER_S = 0.01

_STORE = "/nix/store"
_OF_STORE = SetuidFiles(wrappers=_STORE)
_WALKED = frozenset(
    {"bcachefs", "btrfs", "exfat", "ext2", "ext3", "ext4", "f2fs", "jfs", "overlay", "ramfs"}
    | {"reiserfs", "rootfs", "tmpfs", "ubifs", "vfat", "xfs", "zfs"}
)
_MOST_FOUND = 4096
_SLACK_S = 1.0
"""Activation links the directory once every wrapper in it is made."""

_SPECIAL = stat.S_ISUID | stat.S_ISGID
_ANY_EXECUTES = stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH


@dataclass(slots=True)
class Walk:
    """A walk over several looks.

    Attributes:
        skip: Directories that are not walked.
        todo: Directories that are still to be walked.
        barriers: Mount points, which end a walk from above.
        found: Paths of this walk.
        before: Paths of the last whole walk.
        whole: Whether everything was walked at least once.
        only: The one directory that is walked, instead of all file systems.
    """

    skip: tuple[str, ...]
    todo: list[str] = field(default_factory=list)
    barriers: frozenset[str] = frozenset()
    found: set[str] = field(default_factory=set)
    before: set[str] = field(default_factory=set)
    whole: bool = False
    only: str = ""

    def go_on(self, mounts: tuple[Mounted, ...], until: float) -> None:
        """Walk until a time, or until everything was walked.

        Raises:
            OSError: A directory may not be listed.
        """
        if not self.todo:
            self._begin(mounts)
        try:
            while self.todo and time.monotonic() < until:
                self._directory(self.todo.pop())
        except OSError:
            # What may not be listed was not walked: begin again, or the next look passes it by.
            self.todo.clear()
            raise
        if not self.todo:
            self.before, self.found, self.whole = self.found, set(), True

    def paths(self) -> list[str]:
        """What was found and is still there (Rule 2)."""
        kept = {path for path in self.before | self.found if _still(path)}
        self.before &= kept
        self.found &= kept
        return sorted(kept)

    def _begin(self, mounts: tuple[Mounted, ...]) -> None:
        self.found = set()
        self.barriers = frozenset({_STORE, *self.skip, *(mount.point for mount in mounts)})
        walked = [m.point for m in mounts if _is_walked(m) and not self._skipped(m.point)]
        self.todo = [self.only] if self.only else walked

    def _skipped(self, path: str) -> bool:
        return any(f"{path}/".startswith(f"{one}/") for one in self.skip)

    def _directory(self, path: str) -> None:
        try:
            with os.scandir(path) as listing:
                for entry in listing:
                    self._entry(entry)
        except (FileNotFoundError, NotADirectoryError):
            return

    def _entry(self, entry: "os.DirEntry[str]") -> None:
        if entry.is_dir(follow_symlinks=False):
            if entry.path not in self.barriers:
                self.todo.append(entry.path)
        elif len(self.found) < _MOST_FOUND and _still(entry.path):
            self.found.add(entry.path)


def setuid_files(probe: SetuidFiles, session: Session) -> Answer:
    """The wrappers, and what else was found so far."""
    walk = session.walks.setdefault(probe, Walk(probe.skip))
    patience = LATER_S if walk.whole else UNFINISHED_S if walk.todo else FIRST_S
    mounts = mount_table(session)
    hidden = hidden_place(session, mounts)
    if hidden is not None:
        raise NoAnswer("unsupported", f"this process sees other files than the machine: {hidden}")
    walk.go_on(mounts, time.monotonic() + min(patience, session.remaining() / 2))
    return Answer(
        "ok",
        {
            "wrappers": _wrappers(probe.wrappers),
            "elsewhere": sorted(
                {*_not_below(_in_use(probe.wrappers), walk.paths()), *_in_store(session, mounts)}
            ),
            "whole": walk.whole,
        },
    )


def _in_use(wrappers: str) -> str:
    """The directory of the wrappers; nothing where the link leads away from beside it."""
    place = os.path.realpath(wrappers)
    return place if place.startswith(f"{wrappers.rpartition('/')[0]}/") else ""


def _not_below(directory: str, paths: Sequence[str]) -> list[str]:
    return [path for path in paths if not (directory and path.startswith(f"{directory}/"))]


def _in_store(session: Session, mounts: Sequence[Mounted]) -> list[str]:
    """What was found in the store so far (Rule 3)."""
    above = [mount for mount in mounts if f"{_STORE}/".startswith(f"{mount.point.rstrip('/')}/")]
    # The deepest, and of those on one point the last.
    if not above or "nosuid" in sorted(above, key=lambda mount: len(mount.point))[-1].options:
        return []
    walk = session.walks.setdefault(_OF_STORE, Walk((), only=_STORE))
    patience = LATER_S if walk.whole else UNFINISHED_S
    walk.go_on(tuple(mounts), time.monotonic() + min(patience, session.remaining() / 2))
    return walk.paths()


def _is_walked(mount: Mounted) -> bool:
    return mount.type in _WALKED and not {"ro", "nosuid"} & mount.options


def _still(path: str) -> bool:
    """Whether a path is a file that runs with the rights of another."""
    try:
        mode = os.lstat(path).st_mode
        if not stat.S_ISREG(mode) or not mode & _ANY_EXECUTES:
            return False
        return bool(mode & _SPECIAL) or bool(file_capabilities(path))
    except (FileNotFoundError, NotADirectoryError):
        return False


def _wrappers(directory: str) -> list[dict[str, Any]]:
    try:
        # The directory is a link to the newest of its kind.
        with os.scandir(directory) as listing:
            paths = sorted(entry.path for entry in listing)
        linked = os.lstat(directory)
    except (FileNotFoundError, NotADirectoryError):
        return []
    made = linked.st_ctime + _SLACK_S if stat.S_ISLNK(linked.st_mode) else None
    return [_wrapper(path, made) for path in paths]


def _wrapper(path: str, made: float | None) -> dict[str, Any]:
    status = os.lstat(path)
    return {
        "name": path.rpartition("/")[2],
        "mode": stat.S_IMODE(status.st_mode),
        "uid": status.st_uid,
        "gid": status.st_gid,
        "capabilities": list(file_capabilities(path)),
        "late": made is not None and status.st_ctime > made,
    }
