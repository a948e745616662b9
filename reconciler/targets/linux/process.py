"""Start one program and wait for it, within limits that it cannot talk its way out of.

Rule 1: The program is found in fixed directories, belongs to root and is not writable by others.
Rule 2: No shell, no terminal, no input; the environment is ``LANG=C`` and what was asked for.
Rule 3: Time and output are limited while it runs (`reconciler.programs.bounded`).
"""

# os.stat and os.access on paths that are tried in turn; pathlib adds nothing here.
# ruff: noqa: PTH116

import os
import re
import stat
from collections.abc import Sequence

from reconciler.programs import bounded
from reconciler.programs.bounded import Bounds, Ended, Killed, Sink
from reconciler.targets.linux.no_answer import NoAnswer

_VARIABLE = re.compile(r"(?!LD_)[A-Z][A-Z0-9_]{0,63}")
_MAX_ARGUMENTS = 1024 * 1024


def find_program(name: str, allowed: frozenset[str], directories: Sequence[str]) -> str:
    """The absolute path of a program.

    Raises:
        NoAnswer: Not allowed, not installed, or somebody other than root could have changed it.
    """
    if name not in allowed:
        raise NoAnswer("unsupported", f"{name!r:.80} is not in the list of allowed programs")
    for directory in directories:
        path = f"{directory}/{name}"
        try:
            facts = os.stat(path)
        except OSError:
            continue
        if stat.S_ISREG(facts.st_mode) and os.access(path, os.X_OK):
            if facts.st_uid != 0 or facts.st_mode & 0o022:
                raise NoAnswer("denied", f"{path} can be changed by others than root; not started")
            return path
    raise NoAnswer("absent", f"{name} is not installed")


def run_program(
    path: str,
    arguments: Sequence[str],
    environment: Sequence[tuple[str, str]],
    bounds: Bounds,
    sink: Sink | None = None,
) -> Ended:
    """Run a program to its end.

    Args:
        path: Absolute path (`find_program`); also its ``argv[0]``, which sshd(8) insists on.
        arguments: What follows.
        environment: Names and values besides ``LANG=C``.
        bounds: Time and output, both streams together.
        sink: Takes standard output instead of `Ended.stdout`.

    Raises:
        NoAnswer: It took too long, wrote too much, or could not be started.
        OSError: The system refused to start it.
    """
    _require_sane(arguments, environment)
    given = {"LANG": "C", **dict(environment)}
    try:
        return bounded.run([path, *arguments], given, bounds, sink)
    except Killed as killed:
        raise _no_answer(killed, bounds) from None


def _no_answer(killed: Killed, bounds: Bounds) -> NoAnswer:
    if killed.over == "time":
        return NoAnswer("timeout", "killed: did not end in time")
    return NoAnswer("error", f"killed: wrote more than {bounds.output} bytes")


def _require_sane(arguments: Sequence[str], environment: Sequence[tuple[str, str]]) -> None:
    texts = [*arguments, *(value for _, value in environment)]
    if any("\0" in text for text in texts) or sum(map(len, texts)) > _MAX_ARGUMENTS:
        raise NoAnswer("error", "arguments hold a NUL or are too long")
    for name, _ in environment:
        if _VARIABLE.fullmatch(name) is None:
            raise NoAnswer("error", f"environment variable {name!r:.80} is not allowed")
