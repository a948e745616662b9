"""What lies in directories, and where paths lead in the end: Entries, RealPath.

Listing a directory is how a file is found that nobody declared; on NixOS nearly everything in /etc
is a link, so one listing says of a thousand files whether they are the system's.
"""

# Directory entries know their type without another system call; pathlib asks again.
# ruff: noqa: PTH115

import os
import stat
from pathlib import Path

from reconciler.model.answer import Answer
from reconciler.model.nixos_probe import Entries, RealPath
from reconciler.targets.linux.no_answer import NoAnswer, from_os_error
from reconciler.targets.linux.session import Session


def entries(probe: Entries, session: Session) -> Answer:
    """Every entry with its type, and the target of every link."""
    found: dict[str, str] = {}
    todo = [(directory, probe.depth) for directory in probe.directories if _is_directory(directory)]
    while todo:
        directory, depth = todo.pop()
        session.remaining()
        below = _listed(directory, found)
        if len(found) > probe.most:
            raise NoAnswer("error", f"more than {probe.most} entries")
        if depth > 1:
            todo += [(path, depth - 1) for path in below]
    return Answer("ok", dict(sorted(found.items())))


def real_path(probe: RealPath, _session: Session) -> Answer:
    """Where a path leads."""
    try:
        return Answer("ok", str(Path(probe.path).resolve(strict=True)))
    except RuntimeError as error:
        # CPython says so of links that go round.
        raise NoAnswer("error", "too many levels of symbolic links") from error


def _is_directory(path: str) -> bool:
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False


def _listed(directory: str, found: dict[str, str]) -> list[str]:
    below = []
    try:
        with os.scandir(directory) as listing:
            for entry in listing:
                kind = _kind(entry)
                found[entry.path] = kind
                if kind == "dir":
                    below.append(entry.path)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise from_os_error(error, directory) from error
    return below


def _kind(entry: "os.DirEntry[str]") -> str:
    if entry.is_symlink():
        return f"-> {_target(entry.path)}"
    if entry.is_dir(follow_symlinks=False):
        return "dir"
    return "file" if entry.is_file(follow_symlinks=False) else "other"


def _target(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        # Gone or changed since it was listed; whoever compares sees that it leads nowhere.
        return ""
