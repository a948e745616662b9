"""A walk along a path, one component at a time, that cannot be led astray.

Rule 1: Every component is opened by itself, without following links; a link is read and walked
        from the root of the walk, as openat2(2) RESOLVE_IN_ROOT does. Neither ``/absolute`` nor
        ``../..`` targets, nor a directory that is swapped while we look, can lead out of the root.
Rule 2: Where something will be written, a link counts only if root or we ourselves made it: a user
        must not choose what root writes to (CWE-59).
"""

import errno
import os
import stat
from collections import deque
from contextlib import suppress

from reconciler.targets.linux.no_answer import NoAnswer

MAX_LINKS = 40

_PIN = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
_ROOT = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC


class Walk:
    """A stack of descriptors from a root to where the walk stands. Close it after use."""

    def __init__(self, root: str, *, only_trusted_links: bool = False) -> None:
        """Stand at the root.

        Args:
            root: Directory that the walk never leaves.
            only_trusted_links: Rule 2.

        Raises:
            NoAnswer: The root itself cannot be entered; nothing below it may count as absent.
        """
        try:
            self._stack = [os.open(root, _ROOT)]
        except OSError as error:
            raise NoAnswer("error", f"{root}: {error.strerror}") from error
        self._owners = {0, os.geteuid()} if only_trusted_links else None
        self._links = 0

    @property
    def here(self) -> int:
        """The descriptor (O_PATH) of where the walk stands."""
        return self._stack[-1]

    def to(self, path: str, *, follow: bool = True) -> int:
        """Walk on.

        Args:
            path: Components, from where the walk stands.
            follow: Whether a link at the very end is followed.

        Returns:
            The descriptor (O_PATH) of what is there; it belongs to the walk.

        Raises:
            OSError: Something on the way is missing, not a directory, or not permitted.
            NoAnswer: A link that does not count (Rule 2).
        """
        todo = deque(part for part in path.split("/") if part not in ("", "."))
        while todo:
            name = todo.popleft()
            if name == "..":
                self._leave()
            else:
                self._enter(name, todo, follow=follow)
        return self.here

    def close(self) -> None:
        """Close every descriptor."""
        while self._stack:
            with suppress(OSError):
                os.close(self._stack.pop())

    def _leave(self) -> None:
        if len(self._stack) > 1:
            os.close(self._stack.pop())

    def _enter(self, name: str, todo: deque[str], *, follow: bool) -> None:
        self._stack.append(os.open(name, _PIN, dir_fd=self.here))
        facts = os.fstat(self.here)
        if stat.S_ISLNK(facts.st_mode) and (follow or todo):
            self._follow(facts.st_uid, todo)
        elif todo and not stat.S_ISDIR(facts.st_mode):
            raise NotADirectoryError(errno.ENOTDIR, "not a directory")

    def _follow(self, owner: int, todo: deque[str]) -> None:
        self._links += 1
        if self._links > MAX_LINKS:
            raise OSError(errno.ELOOP, "too many levels of symbolic links")
        if self._owners is not None and owner not in self._owners:
            raise NoAnswer("denied", "a symbolic link of another user is on the way; not followed")
        target = os.readlink("", dir_fd=self.here)
        self._leave()
        if target.startswith("/"):
            while len(self._stack) > 1:
                self._leave()
        todo.extendleft(reversed([part for part in target.split("/") if part not in ("", ".")]))
