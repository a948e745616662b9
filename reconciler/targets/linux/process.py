"""Start one program and wait for it, within limits that it cannot talk its way out of.

Rule 1: The program is found in fixed directories, belongs to root and is not writable by others.
Rule 2: No shell, no terminal, no input; the environment is ``LANG=C`` and what was asked for.
Rule 3: Time and output are limited while it runs. Whatever happens, its whole process group is
        killed before its leader is reaped, so the number of the group cannot be somebody else's.
"""

# os.stat and os.access on paths that are tried in turn; pathlib adds nothing here.
# ruff: noqa: PTH116

import os
import re
import selectors
import signal
import stat
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from reconciler.targets.linux.no_answer import NoAnswer

Sink = Callable[[bytes], None]
"""Takes standard output piece by piece, for answers that are too large to keep."""

_VARIABLE = re.compile(r"(?!LD_)[A-Z][A-Z0-9_]{0,63}")
_MAX_ARGUMENTS = 1024 * 1024
_PIECE = 64 * 1024


@dataclass(frozen=True, slots=True)
class Ran:
    """How a program ended. A program that was killed by a signal has a negative ``exit``."""

    exit: int
    stdout: bytes
    stderr: bytes


@dataclass(frozen=True, slots=True)
class Limits:
    """What a program may use up.

    Attributes:
        deadline: Monotonic time at which it is killed.
        output: Bytes it may write, both streams together.
    """

    deadline: float
    output: int


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
    limits: Limits,
    sink: Sink | None = None,
) -> Ran:
    """Run a program to its end.

    Args:
        path: Absolute path (`find_program`); also its ``argv[0]``, which sshd(8) insists on.
        arguments: What follows.
        environment: Names and values besides ``LANG=C``.
        limits: Time and output.
        sink: Takes standard output instead of `Ran.stdout`.

    Raises:
        NoAnswer: It took too long, wrote too much, or could not be started.
        OSError: The system refused to start it.
    """
    _require_sane(arguments, environment)
    # Not `with`: leaving it waits for the program before its group is killed.
    process = subprocess.Popen(
        [path, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={"LANG": "C", **dict(environment)},
        cwd="/",
        start_new_session=True,
    )
    exited = os.pidfd_open(process.pid)
    try:
        out, err = _Reading(process, exited, limits, sink).to_the_end()
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        code = process.wait()
        os.close(exited)
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()
    return Ran(code, out, err)


def _require_sane(arguments: Sequence[str], environment: Sequence[tuple[str, str]]) -> None:
    texts = [*arguments, *(value for _, value in environment)]
    if any("\0" in text for text in texts) or sum(map(len, texts)) > _MAX_ARGUMENTS:
        raise NoAnswer("error", "arguments hold a NUL or are too long")
    for name, _ in environment:
        if _VARIABLE.fullmatch(name) is None:
            raise NoAnswer("error", f"environment variable {name!r:.80} is not allowed")


class _Reading:
    """Reads both streams until the program ends, not until its children close them."""

    def __init__(
        self, process: "subprocess.Popen[bytes]", exited: int, limits: Limits, sink: Sink | None
    ) -> None:
        streams = [stream.fileno() for stream in (process.stdout, process.stderr) if stream]
        self._stdout = streams[0]
        self._kept: dict[int, list[bytes]] = {stream: [] for stream in streams}
        self._open = set(streams)
        self._exited = exited
        self._limits = limits
        self._sink = sink
        self._total = 0

    def to_the_end(self) -> tuple[bytes, bytes]:
        with selectors.DefaultSelector() as selector:
            for descriptor in (*self._open, self._exited):
                selector.register(descriptor, selectors.EVENT_READ)
            for stream in self._open:
                os.set_blocking(stream, False)
            while not self._step(selector):
                pass
        out, err = (b"".join(pieces) for pieces in self._kept.values())
        return out, err

    def _step(self, selector: selectors.BaseSelector) -> bool:
        """Read what is there; whether the program has ended."""
        ready = {key.fd for key, _ in selector.select(self._left())}
        ended = self._exited in ready
        for stream in list(self._open):
            if (ended or stream in ready) and not self._read(stream, drain=ended):
                selector.unregister(stream)
                self._open.remove(stream)
        return ended

    def _read(self, stream: int, *, drain: bool) -> bool:
        """Read one piece, or all that is there; whether there may be more."""
        while True:
            try:
                data = os.read(stream, _PIECE)
            except BlockingIOError:
                return True
            if not data:
                return False
            self._keep(stream, data)
            if not drain:
                return True

    def _keep(self, stream: int, data: bytes) -> None:
        self._total += len(data)
        if self._total > self._limits.output:
            raise NoAnswer("error", f"killed: wrote more than {self._limits.output} bytes")
        self._left()
        if self._sink is not None and stream == self._stdout:
            self._sink(data)
        else:
            self._kept[stream].append(data)

    def _left(self) -> float:
        left = self._limits.deadline - time.monotonic()
        if left <= 0:
            raise NoAnswer("timeout", "killed: did not end in time")
        return left
