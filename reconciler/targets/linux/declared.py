"""What the expectations name, as it is live: DeclaredSysctls, DeclaredFiles, DeclaredPaths.

Which names are looked at is not a check's to say, because it is asked before the document is read;
the engine's own answer is read here, and again by the parser that compares.
"""

import errno
import os
import re
import stat
from pathlib import Path
from typing import Any

from reconciler.errors import Unobservable
from reconciler.model.answer import Answer
from reconciler.model.expected import CERTIFICATES, ETC, SWAP, SYSCTL, Section
from reconciler.model.nixos_probe import DeclaredFiles, DeclaredPaths, DeclaredSysctls
from reconciler.model.system import STORE_PATH
from reconciler.targets.linux.globbing import expand, is_pattern
from reconciler.targets.linux.no_answer import NoAnswer, from_os_error
from reconciler.targets.linux.session import Session
from reconciler.targets.linux.tree import NotRegular

_ROOT = "/proc/sys/"
_LIMIT = 4096
_MOST_MATCHES = 4096
_FILE_LIMIT = 4 * 1024 * 1024
_SYSTEM = re.compile(STORE_PATH)
_MODE = re.compile(rb"0?[0-7]{3,4}")
_WRITE_ONLY = frozenset({errno.EACCES, errno.EPERM})


def declared_sysctls(_probe: DeclaredSysctls, session: Session) -> Answer:
    """The live value of every kernel parameter that is declared."""
    _, document = _expectations(session)
    values: dict[str, str | None] = {}
    matching: dict[str, dict[str, str]] = {}
    unreadable = []
    for name in _read(SYSCTL, document):
        try:
            if is_pattern(name):
                matching[name] = _matching(name, session)
            else:
                values[name] = _value(_path(name))
        except PermissionError as error:
            if not _only_written(_path(name)):
                raise from_os_error(error, name) from error
            unreadable.append(name)
    return Answer("ok", {"values": values, "matching": matching, "unreadable": sorted(unreadable)})


def declared_files(_probe: DeclaredFiles, session: Session) -> Answer:
    """Every copy below /etc beside the file in the store that it is a copy of."""
    system, document = _expectations(session)
    copies = [path for path, kind in _read(ETC, document).items() if kind == "file"]
    found = {path: _beside(system, path, session) for path in sorted(copies)}
    return Answer("ok", {path: facts for path, facts in found.items() if facts is not None})


def declared_paths(_probe: DeclaredPaths, session: Session) -> Answer:
    """Where every path leads that a certificate or swap is declared at."""
    _, document = _expectations(session)
    paths = {certificate.path for certificate in _read(CERTIFICATES, document)}
    paths |= {swap.device for swap in _read(SWAP, document)}
    return Answer("ok", {path: _resolved(path) for path in sorted(paths)})


def _resolved(path: str) -> str | None:
    try:
        return str(Path(path).resolve(strict=True))
    except (FileNotFoundError, NotADirectoryError, RuntimeError):
        return None


def _expectations(session: Session) -> tuple[str, Any]:
    answer = session.internal("expectations")
    if answer.status != "ok":
        raise NoAnswer(answer.status, answer.reason or "there are no expectations")
    system = answer.data.get("system")
    if not isinstance(system, str) or _SYSTEM.fullmatch(system) is None:
        raise NoAnswer("error", "the expectations name no system")
    return system, answer.data.get("document")


def _read(section: Section[Any], document: Any) -> Any:
    try:
        return section.read(document)
    except Unobservable as problem:
        raise NoAnswer("error", problem.message) from problem


def _path(name: str) -> str:
    return _ROOT + (name if "/" in name else name.replace(".", "/"))


def _value(path: str) -> str | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        return os.read(descriptor, _LIMIT).decode("utf-8", "surrogateescape").rstrip("\n")
    finally:
        os.close(descriptor)


def _only_written(path: str) -> bool:
    """Whether nobody may read a parameter: ``net.ipv4.route.flush``."""
    return not stat.S_IMODE(os.lstat(path).st_mode) & 0o444


def _matching(name: str, session: Session) -> dict[str, str]:
    paths = expand(session.tree, _path(name), _MOST_MATCHES)
    read = {path.removeprefix(_ROOT): _value(path) for path in paths}
    return {matched: value for matched, value in sorted(read.items()) if value is not None}


def _beside(system: str, path: str, session: Session) -> dict[str, Any] | None:
    if ".." in path.split("/"):
        raise NoAnswer("error", "a declared path leads out of /etc")
    tree = session.tree
    try:
        status = tree.lstat(f"/etc/{path}")
        if not stat.S_ISREG(status.st_mode):
            return None
        live = tree.read(f"/etc/{path}", _FILE_LIMIT)
    except (FileNotFoundError, NotADirectoryError, NotRegular):
        return None
    return {
        "same": live == tree.read(f"{system}/etc/{path}", _FILE_LIMIT),
        "mode": f"{stat.S_IMODE(status.st_mode):04o}",
        "declared_mode": _declared_mode(f"{system}/etc/{path}.mode", session),
        "owned": all(
            _is_number(f"{system}/etc/{path}.{kind}", names, number, session)
            for kind, names, number in (
                ("uid", "/etc/passwd", status.st_uid),
                ("gid", "/etc/group", status.st_gid),
            )
        ),
    }


def _is_number(path: str, names: str, number: int, session: Session) -> bool:
    """Whether an owner is the one that a file of the system names: ``+0``, or a name."""
    try:
        wanted = session.tree.read(path, 64).decode("utf-8", "replace").strip()
    except FileNotFoundError:
        return True
    if wanted.startswith("+"):
        return wanted == f"+{number}"
    lines = session.tree.read(names, _FILE_LIMIT).decode("utf-8", "surrogateescape").splitlines()
    return any(line.split(":")[::2][:2] == [wanted, str(number)] for line in lines)


def _declared_mode(path: str, session: Session) -> str | None:
    try:
        text = session.tree.read(path, 64).strip()
    except FileNotFoundError:
        return None
    return text.decode("ascii").rjust(4, "0") if _MODE.fullmatch(text) else None
