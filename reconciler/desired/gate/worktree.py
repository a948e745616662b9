"""The files of a fleet's work tree that Git would take, and single ones by name.

What else a repository holds (tests, recorded answers) is full of digests and keys that are made up;
what a change adds to it is looked at when two revisions are compared.

Rule 1: Links are not followed, and what Git keeps for itself is not looked into.
Rule 2: What cannot be read is an error: nothing is passed over in silence.
"""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NoReturn

import pygit2

from reconciler.desired.gate.secrets import MAX_FILE
from reconciler.desired.tree import ROOTS
from reconciler.errors import InputError, MachineError, Where

FOLDERS = (*ROOTS, ".github", "ci", "evidence-repo", "nix")
"""The folders of a fleet repository; files beside them count, too."""

MAX_FILES = 20_000
MAX_TOTAL = 256 * 1024 * 1024


def every_file(directory: Path) -> dict[str, bytes]:
    """Content by path of every regular file of a fleet that is not ignored; large ones are cut off.

    Raises:
        InputError: There is too much.
        MachineError: A file cannot be read.
    """
    found: dict[str, bytes] = {}
    total = 0
    ignored = _ignored(directory)
    for path in _walk(directory):
        name = path.relative_to(directory).as_posix()
        if ignored is not None and _is_ignored(ignored, name):
            continue
        found[name] = _read(path)
        total += len(found[name])
        if len(found) > MAX_FILES or total > MAX_TOTAL:
            message = f"holds more than {MAX_FILES:,} files or {MAX_TOTAL // 2**20} MiB"
            hint = "Is this a fleet repository? Leave the scan out on purpose: --no-secrets"
            raise InputError(message, hint=hint, where=Where(str(directory)))
    return found


def named_files(directory: Path, names: Iterable[str]) -> dict[str, bytes]:
    """Content by path of those files that are there.

    Raises:
        MachineError: One cannot be read, or is a link.
    """
    there = (name for name in names if os.path.lexists(directory / name))
    return {name: _read(directory / name) for name in there}


def _walk(directory: Path) -> Iterator[Path]:
    """Regular files, in order; links are not followed, and what Git keeps is not looked into."""
    for folder, folders, names in os.walk(directory, onerror=_unreadable):
        folders[:] = sorted(name for name in folders if name != ".git")
        if Path(folder) == directory:
            folders[:] = [name for name in folders if name in FOLDERS]
        for name in sorted(names):
            path = Path(folder, name)
            if name != ".git" and path.is_file() and not path.is_symlink():
                yield path


def _read(path: Path) -> bytes:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as stream:
            return stream.read(MAX_FILE + 1)
    except OSError as failed:
        _unreadable(failed)


def _unreadable(failed: OSError) -> NoReturn:
    """Nothing that could hold a secret is passed over in silence."""
    raise MachineError(
        f"cannot be read: {failed.strerror}",
        hint="Check the file's owner and mode, or have Git ignore it.",
        where=Where(str(failed.filename)),
    ) from failed


def _ignored(directory: Path) -> pygit2.Repository | None:
    """The repository whose work tree this directory is; ``None`` when it is none."""
    try:
        return pygit2.Repository(str(directory))
    except (pygit2.GitError, KeyError, ValueError):
        return None


def _is_ignored(repository: pygit2.Repository, name: str) -> bool:
    # What Git tracks is looked at even where a later pattern would ignore it.
    return name not in repository.index and repository.path_is_ignored(name)
