"""The bare repository that a fleet is fetched into: a cache on disk, never a source of truth.

What was accepted is in the ledger. The mirror may be deleted at any time; while the server is out
of reach it is what the machine reads its accepted state from, so it is replaced only by a complete
new one, and by renaming.
"""

import os
import shutil
from contextlib import suppress
from pathlib import Path

import pygit2

from reconciler.desired.objects import MirrorDamaged
from reconciler.errors import MachineError

_HINT = "Check the disk and the owner of the state directory; the mirror itself may be deleted."
_TRANSIENT = ("refs/**/*.lock", "*.lock", "objects/pack/*.lock", "objects/pack/pack_*")


class Mirror:
    """A bare repository at a path, with its siblings ``<name>.new`` and ``<name>.old``."""

    def __init__(self, path: Path, *, borrowed: bool = False) -> None:
        """Nothing is opened yet.

        Args:
            path: Where it is, or will be.
            borrowed: It is another user's: who reads it as root makes and moves nothing there,
                because its owner could put a link in the place of every folder.
        """
        self.path = path
        self._borrowed = borrowed
        self._new = path.with_name(path.name + ".new")
        self._old = path.with_name(path.name + ".old")

    def open(self) -> pygit2.Repository:
        """The repository; created if there is none.

        Raises:
            MirrorDamaged: There is something that is no repository, or, of another user, nothing.
            MachineError: The directory cannot be written.
        """
        try:
            if not self.path.exists():
                if self._borrowed:
                    raise MirrorDamaged("there is no mirror of the fleet", hint=_HINT)
                self._restore_or_create()
            return pygit2.Repository(str(self.path))
        except (pygit2.GitError, KeyError, ValueError) as error:
            raise MirrorDamaged("the mirror of the fleet cannot be opened", hint=_HINT) from error
        except OSError as error:
            raise self._unwritable(error) from error

    def clear_leftovers(self) -> None:
        """Remove what a killed fetch left behind; the caller holds this host's lock."""
        try:
            for pattern in _TRANSIENT:
                for leftover in self.path.glob(pattern):
                    leftover.unlink(missing_ok=True)
        except OSError as error:
            raise self._unwritable(error) from error

    def pack_sizes(self) -> list[int]:
        """Bytes of each pack.

        Raises:
            MirrorDamaged: The folder of packs is not there.
        """
        try:
            with os.scandir(self.path / "objects" / "pack") as entries:
                return [entry.stat().st_size for entry in entries if entry.name.endswith(".pack")]
        except OSError as error:
            raise MirrorDamaged("the mirror of the fleet has no packs", hint=_HINT) from error

    def kept(self, branch: str) -> str | None:
        """The commit of a branch that was accepted last, as far as the mirror knows."""
        with suppress(MachineError, pygit2.GitError, KeyError, ValueError):
            reference = self.open().references.get(_keeper(branch))
            return None if reference is None else str(reference.target)
        return None

    def check_kept(self, branch: str) -> None:
        """Hold that what was accepted last is still there; history that went on may hide its loss.

        Raises:
            MirrorDamaged: It is not.
            MachineError: The directory cannot be written.
        """
        commit = self.kept(branch)
        if commit is not None and commit not in self.open():
            raise MirrorDamaged(f"the mirror has lost {commit[:12]}", hint=_HINT)

    def keep(self, branch: str, commit: str) -> None:
        """Remember a commit that was accepted, so that no new mirror comes without it.

        Raises:
            MachineError: The mirror cannot be written, or lacks the commit.
        """
        try:
            self.open().references.create(_keeper(branch), commit, force=True)
        except (pygit2.GitError, KeyError, ValueError) as error:
            raise self._unwritable(error) from error

    def begin_anew(self) -> "Mirror":
        """An empty mirror beside this one, to fetch into before it takes this one's place."""
        fresh = Mirror(self._new)
        try:
            shutil.rmtree(self._new, ignore_errors=True)
            _create(self._new)
        except (OSError, pygit2.GitError) as error:
            raise self._unwritable(error) from error
        return fresh

    def replace_by(self, fresh: "Mirror") -> None:
        """Put a complete new mirror into this one's place."""
        try:
            shutil.rmtree(self._old, ignore_errors=True)
            if self.path.exists():
                self.path.rename(self._old)
            fresh.path.rename(self.path)
        except OSError as error:
            raise self._unwritable(error) from error
        shutil.rmtree(self._old, ignore_errors=True)

    def _restore_or_create(self) -> None:
        # A crash between the two renames of `replace_by` leaves the old mirror under this name.
        if self._old.exists():
            self._old.rename(self.path)
            return
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.rmtree(self._new, ignore_errors=True)
        _create(self._new)
        self._new.rename(self.path)

    def _unwritable(self, error: Exception) -> MachineError:
        why = getattr(error, "strerror", None) or "libgit2 refused"
        return MachineError(f"cannot write the mirror {self.path}: {why}", hint=_HINT)


def _keeper(branch: str) -> str:
    return f"refs/accepted/{branch}"


def _create(path: Path) -> None:
    path.mkdir(mode=0o700)
    pygit2.init_repository(str(path), bare=True)
