"""Files and facts about them: ReadFile, ReadGlob, ReadHeads, ReadLink, StatPaths."""

import errno
import os
import stat
from collections.abc import Callable
from typing import Any

from reconciler.model.answer import Answer
from reconciler.model.probe import ReadFile, ReadGlob, ReadHeads, ReadLink, StatPaths
from reconciler.targets.linux.globbing import expand, is_pattern
from reconciler.targets.linux.no_answer import NoAnswer, from_os_error
from reconciler.targets.linux.session import Session
from reconciler.targets.linux.tree import NotRegular, Tree

_NOTHING_THERE = frozenset({errno.ENOENT, errno.ENOTDIR})


def read_file(probe: ReadFile, session: Session) -> Answer:
    """The content of one regular file."""
    data = session.tree.read(_absolute(probe.path), probe.limit)
    return Answer("ok", data if probe.binary else _text(data))


def read_glob(probe: ReadGlob, session: Session) -> Answer:
    """Every regular file that a pattern names; a file that is not readable says so by itself."""
    tree = session.tree
    return _each(session, probe, "text", lambda path: _text(tree.read(path, probe.limit)))


def read_heads(probe: ReadHeads, session: Session) -> Answer:
    """The first bytes of every regular file that a pattern names, in hexadecimal."""
    tree = session.tree
    return _each(session, probe, "hex", lambda path: tree.head(path, probe.length).hex())


def read_link(probe: ReadLink, session: Session) -> Answer:
    """The target of a symbolic link."""
    try:
        return Answer("ok", session.tree.readlink(_absolute(probe.path)))
    except OSError as error:
        if error.errno == errno.EINVAL:
            return Answer("absent", reason="not a symbolic link")
        raise


def stat_paths(probe: StatPaths, session: Session) -> Answer:
    """Type, mode, owner, size and time of paths; never their content."""
    facts: dict[str, dict[str, Any]] = {}
    for pattern in probe.patterns:
        for path in _candidates(session.tree, _absolute(pattern), probe.max_paths):
            status = _status(session.tree, path)
            if status is not None:
                facts[path] = _facts(path, status)
    if len(facts) > probe.max_paths:
        raise NoAnswer("error", f"more than {probe.max_paths} paths match")
    return Answer("ok", [facts[path] for path in sorted(facts)])


def _candidates(tree: Tree, pattern: str, limit: int) -> list[str]:
    return expand(tree, pattern, limit) if is_pattern(pattern) else [pattern]


def _status(tree: Tree, path: str) -> os.stat_result | None:
    try:
        return tree.lstat(path)
    except OSError as error:
        if error.errno in _NOTHING_THERE:
            return None
        raise from_os_error(error, path) from error


def _facts(path: str, status: os.stat_result) -> dict[str, Any]:
    mode = status.st_mode
    kinds = ((stat.S_ISREG, "file"), (stat.S_ISDIR, "dir"), (stat.S_ISLNK, "link"))
    return {
        "path": path,
        "type": next((word for test, word in kinds if test(mode)), "other"),
        "mode": stat.S_IMODE(mode),
        "uid": status.st_uid,
        "gid": status.st_gid,
        "size": status.st_size,
        "mtime": status.st_mtime_ns // 1_000_000_000,
    }


def _each(
    session: Session, probe: ReadGlob | ReadHeads, name: str, read: Callable[[str], str]
) -> Answer:
    paths = expand(session.tree, _absolute(probe.pattern), probe.max_files)
    found = [item for path in sorted(paths) if (item := _read_one(path, name, read)) is not None]
    return Answer("ok", found)


def _read_one(path: str, name: str, read: Callable[[str], str]) -> dict[str, str] | None:
    try:
        return {"path": path, "status": "ok", name: read(path)}
    except NotRegular:
        return None
    except NoAnswer as unknown:
        return {"path": path, "status": unknown.status, name: ""}
    except OSError as error:
        status = from_os_error(error).status
        if status == "absent":
            return None
        return {"path": path, "status": "denied" if status == "denied" else "error", name: ""}


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _absolute(path: str) -> str:
    if not path.startswith("/") or "\x00" in path:
        raise NoAnswer("error", "not an absolute path")
    return path
