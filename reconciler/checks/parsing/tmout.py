"""``TMOUT`` in shell profiles: a shell that waits longer for input ends (bash(1)).

Profiles are programs; this reads plain assignments only. A value that is computed is not seen, and
of several values the largest counts, because a condition may choose any of them.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from reconciler.checks.parsing.shapes import code_lines

_ASSIGNED = re.compile(r"\bTMOUT=[\"']?([0-9]{1,9})[\"']?(?=[\s;&|)]|$)")
_READ_ONLY = re.compile(r"(?:\breadonly|\b(?:declare|typeset)\s+-[A-Za-z]*r[A-Za-z]*)\s")
_NAME = re.compile(r"\bTMOUT\b")


@dataclass(frozen=True, slots=True)
class Timeout:
    """Seconds of idle shells: ``None`` when nothing is set, 0 when it is switched off."""

    seconds: int | None
    read_only: bool


def read(profiles: Iterable[str]) -> Timeout:
    """The time-out that the profiles set together."""
    lines = [
        re.split(r"\s#", line, maxsplit=1)[0]
        for text in profiles
        for line in code_lines(text)
        if "TMOUT" in line
    ]
    values = [int(found[1]) for line in lines for found in _ASSIGNED.finditer(line)]
    # 0 is "never", which is longer than any number of seconds.
    seconds = 0 if 0 in values else max(values, default=None)
    commands = [command for line in lines for command in re.split(r"[;&|]", line)]
    return Timeout(seconds, any(map(_makes_read_only, commands)))


def _makes_read_only(command: str) -> bool:
    keyword = _READ_ONLY.search(command)
    return keyword is not None and _NAME.search(command, keyword.end()) is not None
