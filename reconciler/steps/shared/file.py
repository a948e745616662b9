"""What steps about files share: what was there, byte for byte, and how to put it back."""

import hashlib
import re
from dataclasses import dataclass

from reconciler.errors import Unobservable
from reconciler.model.answer import Answers
from reconciler.model.operation import SetAccess, WriteFile
from reconciler.model.parameter import Parameter
from reconciler.model.probe import Probe, ReadFile, StatPaths
from reconciler.model.values import Params
from reconciler.steps.shared import take

BACKUPS = "/var/lib/reconciler/backup"
"""Where bytes are kept that a step replaced, for people; root only."""

PATH = Parameter(
    type="str", doc="Absolute path of a file.", pattern=r"/(?!.*(?:^|/)\.\.?(?:/|$))[^\x00-\x1f]+"
)
MODE = Parameter(type="str", doc="Permission bits, four octal digits: 0600.", pattern=r"0[0-7]{3}")
UID = Parameter(type="int", doc="Numeric owner.", minimum=0, maximum=65535)
GID = Parameter(type="int", doc="Numeric group.", minimum=0, maximum=65535)


@dataclass(frozen=True, slots=True)
class Access:
    """Mode and owner of a regular file."""

    mode: int
    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Found:
    """A regular file, byte for byte."""

    content: bytes
    access: Access


def path(params: Params) -> str:
    """The file that a step is about."""
    return take.text(params, "path")


def wanted_access(params: Params) -> Access:
    """Mode and owner that a step asks for."""
    mode = int(take.text(params, "mode"), 8)
    return Access(mode, take.number(params, "uid"), take.number(params, "gid"))


def ask_access(params: Params) -> tuple[Probe, ...]:
    """What must be known to change mode or owner."""
    return (StatPaths((path(params),)),)


def ask_content(params: Params) -> tuple[Probe, ...]:
    """What must be known to replace a file and to put it back."""
    return (*ask_access(params), ReadFile(path(params), binary=True))


def access(params: Params, before: Answers) -> Access | None:
    """Mode and owner that the file had; ``None`` when there was none.

    Raises:
        Unobservable: It could not be looked at, or there is something that is no regular file.
    """
    facts = _facts(path(params), before)
    if facts is None:
        return None
    bits = [facts.get(key) for key in ("mode", "uid", "gid")]
    numbers = [bit for bit in bits if isinstance(bit, int)]
    if facts.get("type") != "file" or len(numbers) != len(bits):
        raise Unobservable(f"{path(params)}: is not a regular file; nothing is written through it")
    return Access(*numbers)


def found(params: Params, before: Answers) -> Found | None:
    """The file as it was; ``None`` when there was none.

    Raises:
        Unobservable: As `access`; or its bytes could not be read.
    """
    was = access(params, before)
    if was is None:
        return None
    content = before.data(ReadFile(path(params), binary=True))
    if not isinstance(content, bytes):
        raise Unobservable(f"{path(params)}: its bytes were not given")
    return Found(content, was)


def put_back(params: Params, was: Found | None) -> WriteFile:
    """The operation that returns the file to what it was."""
    if was is None:
        return WriteFile(path(params), None)
    return WriteFile(path(params), was.content, was.access.mode, was.access.uid, was.access.gid)


def set_back(params: Params, was: Access) -> SetAccess:
    """The operation that returns mode and owner to what they were."""
    return SetAccess(path(params), was.mode, was.uid, was.gid)


def backup(params: Params, was: Found) -> WriteFile:
    """The operation that keeps replaced bytes where a crash cannot take them.

    Named after path and content, so the same drift leaves one copy, however often it comes back.
    """
    readable = re.sub(r"[^A-Za-z0-9.]+", "-", path(params)).strip("-")[:80]
    mark = hashlib.sha256(path(params).encode() + b"\x00" + was.content).hexdigest()[:16]
    return WriteFile(f"{BACKUPS}/{readable}.{mark}", was.content, 0o600, 0, 0, parents=True)


def word(params: Params) -> frozenset[str]:
    """The file in the words of a host's access path."""
    return frozenset({f"file:{path(params)}"})


def _facts(at: str, before: Answers) -> dict[str, object] | None:
    rows = before.data(StatPaths((at,)))
    if not isinstance(rows, list):
        raise Unobservable(f"{at}: its facts are garbled")
    mine = [row for row in rows if isinstance(row, dict) and row.get("path") == at]
    if len(mine) != len(rows) or len(rows) > 1:
        raise Unobservable(f"{at}: facts about something else were given")
    return mine[0] if mine else None
