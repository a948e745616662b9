"""Take every SSH key away that the host does not declare; whatever else a file says stays.

Files are rewritten without the lines of undeclared keys, with the mode and owner they had, and
undoing puts back every byte. What was taken away is kept for whoever looks into it, readable for
root alone. A line that is not understood stays, and the check that counts such lines says so.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from reconciler.errors import InputError, Unobservable
from reconciler.model.answer import Answers
from reconciler.model.authorized_key import HOMES, PLACES, key_of
from reconciler.model.operation import Operation, WriteFile
from reconciler.model.parameter import Parameter
from reconciler.model.probe import Probe, ReadGlob, StatPaths
from reconciler.model.step import StepKind
from reconciler.model.values import Params
from reconciler.steps.shared import file, take
from reconciler.steps.shared.file import Access, Found

_GLOBS = tuple(ReadGlob(place) for place in PLACES)
_FACTS = StatPaths(PLACES)
_WORDS = frozenset(
    {"file:/etc/ssh/authorized_keys.d", *(f"file:{home.removesuffix('/*')}" for home in HOMES)}
)
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
"""As sshd reads lines: only a line feed ends one."""


@dataclass(frozen=True, slots=True)
class _KeyFile:
    path: str
    was: Found
    kept: bytes


def before(_params: Params) -> tuple[Probe, ...]:
    """Every file that may hold keys, and whose it is."""
    return (*_GLOBS, _FACTS)


def do(params: Params, before: Answers) -> tuple[Operation, ...]:
    """Keep what is taken away, then rewrite each file that has an undeclared key."""
    return tuple(
        operation
        for found in _found(params, before)
        for operation in (
            file.backup({"path": found.path}, found.was),
            _write(found.path, Found(found.kept, found.was.access)),
        )
    )


def undo(params: Params, before: Answers) -> tuple[Operation, ...]:
    """Put back every byte of every file that was rewritten."""
    return tuple(_write(found.path, found.was) for found in _found(params, before))


def _write(path: str, content: Found) -> WriteFile:
    access = content.access
    return WriteFile(path, content.content, access.mode, access.uid, access.gid)


def _found(params: Params, before: Answers) -> list[_KeyFile]:
    declared = frozenset(take.texts(params, "declared"))
    if not declared:
        raise InputError(
            "no key is declared, so every key would be taken away",
            hint="Declare the keys of the host's administrators under ssh_keys.",
        )
    return [found for found in _files(declared, before) if found.kept != found.was.content]


def _files(declared: Collection[str], before: Answers) -> Iterator[_KeyFile]:
    access = _access(before)
    for probe in _GLOBS:
        for path, text in _texts(before, probe):
            if path not in access:
                raise Unobservable(f"{path}: is not a regular file; nothing is written through it")
            kept = "".join(line for line in _LINE.findall(text) if _stays(line, declared))
            was = Found(_bytes(text), access[path])
            yield _KeyFile(path, was, _bytes(kept))


def _stays(line: str, declared: Collection[str]) -> bool:
    text = line.strip()
    key = None if text.startswith("#") else key_of(text)
    return key is None or key.fingerprint in declared


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _texts(before: Answers, probe: ReadGlob) -> Iterator[tuple[str, str]]:
    rows = before.data(probe)
    for row in rows if isinstance(rows, list) else ({},):
        path, text = row.get("path"), row.get("text")
        if row.get("status") != "ok" or not isinstance(path, str) or not isinstance(text, str):
            raise Unobservable(f"{probe.pattern}: a file with keys could not be read")
        yield path, text


def _access(before: Answers) -> dict[str, Access]:
    rows = before.data(_FACTS)
    if not isinstance(rows, list):
        raise Unobservable("the facts about files with keys are garbled")
    return {
        row["path"]: Access(row["mode"], row["uid"], row["gid"])
        for row in rows
        if row["type"] == "file"
    }


STEP = StepKind(
    id="keys.withdraw",
    doc="Take every SSH key away that the host does not declare.",
    params={
        "declared": Parameter(
            type="list[str]",
            doc="SHA256 fingerprints of the keys that stay.",
            pattern=r"SHA256:[A-Za-z0-9+/]{43}",
        )
    },
    before=before,
    do=do,
    undo=undo,
    reversible=True,
    touches=lambda _params: _WORDS,
)
