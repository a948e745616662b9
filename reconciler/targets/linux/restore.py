"""Prove that a backup restores: RestoreSample (45 CFR 164.308(a)(7)(ii)(B), (D)).

Rule 1: What is restored may be health data. It lies in a fresh directory that only root enters,
        below one fixed place, and is removed whatever happens; what a killed run left is removed
        first.
Rule 2: The record is written last, after every byte was equal and the scratch is gone.
"""

# Works on directory descriptors, which pathlib does not have.

import hashlib
import json
import os
import stat
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from reconciler.model.operation import RestoreSample, WriteFile
from reconciler.targets.linux.no_answer import NoAnswer
from reconciler.targets.linux.restic import Node, Repository
from reconciler.targets.linux.session import Session
from reconciler.targets.linux.walk import Walk
from reconciler.targets.linux.writing import directory_of, write_file

READ_AGAIN = 2
"""Files that are also read a second time from the repository and compared by our own digest."""

_HEADROOM_PERCENT = 80
_PIECE = 1024 * 1024


def restore_sample(operation: RestoreSample, session: Session) -> None:
    """Restore a sample of the newest snapshot of this host, compare, and leave a record.

    Raises:
        NoAnswer: Any difference, or anything that could not be done.
        OSError: The system refused.
    """
    started = time.monotonic()
    repository = Repository(operation.repository, operation.password_file, session)
    snapshot = repository.newest_snapshot(os.uname().nodename)
    sample = repository.sample(snapshot, operation.sample_percent)
    with _scratch(operation.scratch, session) as free:
        nodes = fitting(sample, free * _HEADROOM_PERCENT // 100)
        repository.restore(snapshot, nodes, operation.scratch)
        digests = [restored_digest(operation.scratch, node) for node in nodes]
        for node, digest in zip(nodes[:READ_AGAIN], digests, strict=False):
            if repository.digest(snapshot, node) != digest:
                raise NoAnswer("error", "a restored file differs from the repository")
    record: dict[str, str | int] = {
        "job": operation.job,
        "snapshot": snapshot,
        "files": len(nodes),
        "bytes": sum(node.size for node in nodes),
        "seconds": int(time.monotonic() - started),
        "finished_at": _now(session),
    }
    _write_record(operation.record, record, session)


def fitting(sample: Sequence[Node], room: int) -> list[Node]:
    """The files of a sample that fit, first come first served.

    Raises:
        NoAnswer: Not one does.
    """
    nodes: list[Node] = []
    for node in sample:
        if node.size <= room:
            room -= node.size
            nodes.append(node)
    if not nodes:
        raise NoAnswer("error", "no file of the sample fits into the scratch directory")
    return nodes


def restored_digest(scratch: str, node: Node) -> str:
    """Hex SHA-256 of a restored file.

    Raises:
        NoAnswer: It is not there, no regular file, or of another size than the snapshot says.
    """
    walk = Walk(scratch)
    try:
        pin = walk.to(node.path, follow=False)
        facts = os.fstat(pin)
        if not stat.S_ISREG(facts.st_mode) or facts.st_size != node.size:
            raise NoAnswer("error", "a restored file has another type or size than the snapshot")
        return _digest(f"/proc/self/fd/{pin}")
    except FileNotFoundError as error:
        raise NoAnswer("error", "a file of the sample was not restored") from error
    finally:
        walk.close()


def _digest(path: str) -> str:
    content = hashlib.sha256()
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        while data := os.read(descriptor, _PIECE):
            content.update(data)
    finally:
        os.close(descriptor)
    return content.hexdigest()


@contextmanager
def _scratch(path: str, session: Session) -> Iterator[int]:
    """A fresh private directory; yields the bytes that are free there (Rule 1)."""
    place, _, name = path.rpartition("/")
    if place != session.allow.scratch or not name.replace("-", "").isalnum():
        raise NoAnswer("error", f"scratch must lie directly below {session.allow.scratch}")
    with directory_of(path, make=True) as (parent, name):
        facts = os.fstat(parent)
        if facts.st_uid != os.geteuid() or facts.st_mode & 0o022:
            raise NoAnswer("denied", f"{place} can be changed by others; nothing is restored there")
        _remove(parent, name)
        os.mkdir(name, 0o700, dir_fd=parent)
        try:
            room = os.fstatvfs(parent)
            yield room.f_bavail * room.f_frsize
        finally:
            _remove(parent, name)


def _remove(parent: int, name: str) -> None:
    """Remove a tree and make sure that it is gone.

    Raises:
        NoAnswer: Something of it is still there.
    """
    # Imported here: only a restore test removes trees.
    import shutil  # noqa: PLC0415

    shutil.rmtree(name, ignore_errors=True, dir_fd=parent)
    try:
        os.stat(name, dir_fd=parent, follow_symlinks=False)
    except FileNotFoundError:
        return
    raise NoAnswer("error", "the scratch directory could not be removed")


def _now(session: Session) -> int:
    answer = session.internal("now")
    if answer.status != "ok" or not isinstance(answer.data, dict):
        raise NoAnswer("error", f"the time is not known: {answer.reason or answer.status}")
    return int(answer.data["unix_s"])


def _write_record(path: str, record: dict[str, str | int], session: Session) -> None:
    content = json.dumps(record, sort_keys=True).encode() + b"\n"
    owner = {"uid": os.geteuid(), "gid": os.getegid()}
    write_file(WriteFile(path, content, mode=0o644, parents=True, **owner), session)
