"""Sockets that others can reach, and the units that own them: Sockets.

Source: sock_diag(7), proc(5), cgroups(7). An owner is found through /proc/<pid>/fd; owners are
remembered by inode and verified by one readlink, so a second look costs no walk through all
processes.
"""

# Reads links of /proc by the hundred; pathlib would double the cost.
# ruff: noqa: PTH115, PTH208

import errno
import os
from collections.abc import Iterable

from reconciler.model.answer import Answer
from reconciler.model.probe import Sockets
from reconciler.targets.linux.bound_sockets import Bound, bound_sockets
from reconciler.targets.linux.session import Session
from reconciler.targets.linux.socket_units import socket_units

_CGROUP_LIMIT = 64 * 1024
_UNIT_TYPES = (".service", ".scope", ".socket", ".mount", ".swap")
_GONE = frozenset({errno.ENOENT, errno.ESRCH, errno.EACCES, errno.EPERM})


def sockets(_probe: Sockets, session: Session) -> Answer:
    """Listening TCP and bound UDP sockets and the units that own them."""
    bound = bound_sockets(session)
    units = _units(session, bound)
    rows = {
        (line.protocol, line.address, line.port, units.get(line.inode), line.loopback)
        for line in bound
    }
    keys = ("protocol", "address", "port", "unit", "loopback")
    ordered = sorted(rows, key=lambda row: (*row[:3], row[3] or ""))
    return Answer("ok", [dict(zip(keys, row, strict=True)) for row in ordered])


def unit_of_cgroup(text: str) -> str | None:
    """The systemd unit in /proc/<pid>/cgroup: the first part of the path that is no slice."""
    for line in text.splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if number != "0" and controllers != "name=systemd":
            continue
        for part in path.split("/"):
            if part.endswith(_UNIT_TYPES):
                return part.removeprefix("_")
    return None


def _units(session: Session, bound: Iterable[Bound]) -> dict[str, str | None]:
    wanted = {line.inode: line for line in bound}
    known = {
        inode: owner
        for inode, owner in session.owners.items()
        if inode in wanted and (not owner[0] or _link(owner[0]) == f"socket:[{inode}]")
    }
    missing = wanted.keys() - known.keys()
    if missing:
        # Nobody's stays nobody's, or one such socket would cost the whole search every time.
        known.update(dict.fromkeys(missing, ("", None)))
        known.update(_search(session, {inode: wanted[inode] for inode in missing}))
    session.owners.clear()
    session.owners.update(known)
    return {inode: unit for inode, (_, unit) in known.items()}


def _search(session: Session, missing: dict[str, Bound]) -> dict[str, tuple[str, str | None]]:
    wanted = {f"socket:[{inode}]": inode for inode in missing}
    found: dict[str, tuple[str, str | None]] = {}
    # PID 1 comes first: what it holds is activated by a socket unit, whether or not the service
    # that it is passed to runs just now.
    for pid in sorted(filter(str.isdigit, os.listdir("/proc")), key=int):
        session.remaining()
        held = {wanted.get(_link(path) or ""): path for path in _descriptors(pid)}
        mine = {inode: path for inode, path in held.items() if inode and inode not in found}
        if mine:
            units = _units_of(session, pid, [missing[inode] for inode in mine])
            found.update({i: (path, u) for (i, path), u in zip(mine.items(), units, strict=True)})
        if len(found) == len(wanted):
            break
    return found


def _descriptors(pid: str) -> list[str]:
    directory = f"/proc/{pid}/fd"
    try:
        return [f"{directory}/{name}" for name in os.listdir(directory)]
    except OSError as error:
        if error.errno in _GONE:
            return []
        raise


def _link(path: str) -> str | None:
    try:
        return os.readlink(path)
    except OSError as error:
        if error.errno in _GONE:
            return None
        raise


def _units_of(session: Session, pid: str, lines: list[Bound]) -> list[str | None]:
    if pid == "1":
        units = socket_units(session)
        return [units.get((line.protocol, line.address, line.port)) for line in lines]
    try:
        text = session.tree.read(f"/proc/{pid}/cgroup", _CGROUP_LIMIT).decode("utf-8", "replace")
    except OSError as error:
        if error.errno in _GONE:
            return [None] * len(lines)
        raise
    return [unit_of_cgroup(text)] * len(lines)
