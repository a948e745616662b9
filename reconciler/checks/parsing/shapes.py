"""Typed readers of raw answers: what does not have the documented shape is `Unobservable`.

A target may be lied to, and a file under ``/home`` belongs to somebody else, so nothing of an
answer is believed before its type and its range were looked at. Whole numbers are bounded to what
every JSON reader holds exactly (RFC 8785 section 3.2.2.3, I-JSON: 2^53 - 1).
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from reconciler.errors import Unobservable
from reconciler.model.answer import Answers, describe
from reconciler.model.probe import Command, Internal, Probe, ReadGlob, StatPaths, UnitStatus

MAX_INT = 2**53 - 1
NOW = Internal("now")

_WHOLE = re.compile(r"-?[0-9]{1,16}")
_WORD = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:@%+/$-]{0,127}")


@dataclass(frozen=True, slots=True)
class Ran:
    """What a process answered."""

    exit: int
    stdout: str
    stderr: str


@dataclass(frozen=True, slots=True)
class FileText:
    """One file that a glob pattern named."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class PathFacts:
    """Facts about one path. ``mode`` holds the permission bits, ``mtime`` is Unix seconds."""

    path: str
    type: str
    mode: int
    uid: int
    gid: int
    size: int
    mtime: int


@dataclass(frozen=True, slots=True)
class UnitFacts:
    """State of one systemd unit, in the words of org.freedesktop.systemd1."""

    load_state: str
    active_state: str
    unit_file_state: str
    result: str


def refuse(probe: Probe, what: str) -> NoReturn:
    """Give up on an answer.

    Raises:
        Unobservable: Always.
    """
    raise Unobservable(f"{describe(probe)}: {what}")


def number(text: str, what: str, *, lowest: int = 0, highest: int = MAX_INT) -> int:
    """A whole number in ASCII digits.

    Raises:
        Unobservable: It is something else, or out of range.
    """
    if _WHOLE.fullmatch(text) is None:
        raise Unobservable(f"{what} is not a whole number")
    value = int(text)
    if not lowest <= value <= highest:
        raise Unobservable(f"{what} is not between {lowest} and {highest}")
    return value


def word(text: str, what: str) -> str:
    """A name of a system's own vocabulary: short, printable ASCII, no blanks.

    Raises:
        Unobservable: It is something else, which must not reach evidence (45 CFR 164.514(b)).
    """
    if _WORD.fullmatch(text) is None:
        raise Unobservable(f"{what} is not a plain name")
    return text


def command(answers: Answers, probe: Command) -> Ran:
    """What a process answered.

    Raises:
        Unobservable: It was not run, or the answer has another shape.
    """
    data = _mapping(answers.data(probe), probe)
    return Ran(_int(data, "exit", probe), _str(data, "stdout", probe), _str(data, "stderr", probe))


def files(answers: Answers, probe: ReadGlob) -> tuple[FileText, ...]:
    """Every file that a pattern names, in the order of the answer.

    Raises:
        Unobservable: One of them could not be read, or the answer has another shape.
    """
    return tuple(_file(item, probe) for item in _items(answers.data(probe), probe))


def stats(answers: Answers, probe: StatPaths) -> tuple[PathFacts, ...]:
    """Facts about every path that exists.

    Raises:
        Unobservable: The answer has another shape.
    """
    return tuple(_facts(item, probe) for item in _items(answers.data(probe), probe))


def units(answers: Answers, probe: UnitStatus) -> Mapping[str, UnitFacts]:
    """State of every unit that was asked for.

    Raises:
        Unobservable: One of them is missing, or the answer has another shape.
    """
    data = _mapping(answers.data(probe), probe)
    return {name: _unit(_mapping(data.get(name), probe), probe) for name in probe.units}


def now(answers: Answers) -> int:
    """The run's wall clock in Unix seconds; a check that asks for it declares `NOW`.

    Raises:
        Unobservable: The engine did not say.
    """
    return _int(_mapping(answers.data(NOW), NOW), "unix_s", NOW)


def age(answers: Answers, then: int, what: str) -> int:
    """Seconds since a moment.

    Raises:
        Unobservable: The moment is more than an hour ahead: a clock is wrong, and a negative age
            would pass for fresh.
    """
    seconds = now(answers) - then
    if seconds < -3600:
        raise Unobservable(f"{what} lies in the future; a clock is wrong")
    return max(seconds, 0)


def json_object(text: str, what: str) -> Mapping[str, Any]:
    """A JSON object.

    Raises:
        Unobservable: It is something else, or nested beyond reason.
    """
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as problem:
        raise Unobservable(f"{what} is not JSON") from problem
    if not isinstance(data, dict):
        raise Unobservable(f"{what} is not a JSON object")
    return data


def code_lines(text: str, comment: str = "#") -> Iterator[str]:
    """Lines without blanks around them, without empty lines and whole-line comments."""
    for raw in text.split("\n"):
        line = raw.strip()
        if line and not line.startswith(comment):
            yield line


def _file(item: Mapping[str, Any], probe: Probe) -> FileText:
    path = _str(item, "path", probe)
    if item.get("status") != "ok":
        refuse(probe, f"{word_or(path)} cannot be read: {word_or(item.get('status'))}")
    return FileText(path, _str(item, "text", probe))


def word_or(text: Any, otherwise: str = "a file") -> str:
    """A plain name, or a stand-in when it is none; for reasons, which reach evidence too."""
    return (
        text
        if isinstance(text, str) and re.fullmatch(r"[\w./:@-]{1,200}", text, re.A)
        else otherwise
    )


def _facts(item: Mapping[str, Any], probe: Probe) -> PathFacts:
    return PathFacts(
        path=_str(item, "path", probe),
        type=_str(item, "type", probe),
        mode=_int(item, "mode", probe),
        uid=_int(item, "uid", probe),
        gid=_int(item, "gid", probe),
        size=_int(item, "size", probe),
        mtime=_int(item, "mtime", probe),
    )


def _unit(item: Mapping[str, Any], probe: Probe) -> UnitFacts:
    return UnitFacts(
        load_state=word(_str(item, "load_state", probe), "LoadState"),
        active_state=word(_str(item, "active_state", probe), "ActiveState"),
        unit_file_state=_str(item, "unit_file_state", probe),
        result=_str(item, "result", probe),
    )


def _mapping(data: Any, probe: Probe) -> Mapping[str, Any]:
    if not isinstance(data, Mapping):
        refuse(probe, "the answer has the wrong shape")
    return data


def _items(data: Any, probe: Probe) -> tuple[Mapping[str, Any], ...]:
    if not isinstance(data, list | tuple):
        refuse(probe, "the answer has the wrong shape")
    return tuple(_mapping(item, probe) for item in data)


def _int(data: Mapping[str, Any], key: str, probe: Probe) -> int:
    value = data.get(key)
    if type(value) is not int or not -MAX_INT <= value <= MAX_INT:
        refuse(probe, f"{key} is not a whole number within range")
    return value


def _str(data: Mapping[str, Any], key: str, probe: Probe) -> str:
    value = data.get(key)
    if not isinstance(value, str):
        refuse(probe, f"{key} is not text")
    return value
