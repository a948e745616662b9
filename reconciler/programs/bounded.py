"""One child process: read until it ends, within its time, its output and its memory.

Rule 1: No shell, no terminal, no input; the environment is what was given and nothing else.
Rule 2: What is read of its answer is kept whole, or it is killed.
Rule 3: Whatever happens, its whole process group is killed before its leader is reaped, so the
        number of the group cannot be somebody else's.
"""

import os
import resource
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

Sink = Callable[[bytes], None]
"""Takes standard output piece by piece, for answers that are too large to keep."""

_PIECE = 64 * 1024


class Killed(Exception):
    """It did not keep within its bounds.

    Attributes:
        over: Which one: ``time`` or ``output``.
        stderr: What it told people until then.
    """

    def __init__(self, over: Literal["time", "output"], stderr: bytes) -> None:
        super().__init__(over)
        self.over = over
        self.stderr = stderr


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a program may use up.

    Attributes:
        deadline: Monotonic time at which it is killed.
        output: Bytes that it may write.
        told: Of what it tells people (standard error) only so many bytes at the end are kept, and
            they do not count as output: a build may tell for hours. ``None``: all of it is kept,
            and counts.
        memory: Bytes of address space that it and each of its children may have; ``None``: no
            limit.
    """

    deadline: float
    output: int
    told: int | None = None
    memory: int | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended. One that was killed by a signal has a negative ``exit``."""

    exit: int
    stdout: bytes
    stderr: bytes


def run(
    argv: Sequence[str],
    environment: Mapping[str, str],
    bounds: Bounds,
    sink: Sink | None = None,
) -> Ended:
    """Run a program to its end.

    Args:
        argv: Absolute path and arguments.
        environment: All of its environment.
        bounds: Time, output and memory.
        sink: Takes standard output instead of `Ended.stdout`.

    Raises:
        Killed: It took too long or wrote too much.
        OSError: The system refused to start it.
    """
    # Not `with`: leaving it waits for the program before its group is killed.
    process = subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=dict(environment),
        cwd="/",
        start_new_session=True,
    )
    exited = os.pidfd_open(process.pid)
    try:
        if bounds.memory is not None:
            # After its start: what it has by then is small, and code between fork and exec is not
            # safe beside threads.
            with suppress(ProcessLookupError):
                resource.prlimit(process.pid, resource.RLIMIT_AS, (bounds.memory, bounds.memory))
        out, err = _Reading(process, exited, bounds, sink).to_the_end()
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        code = process.wait()
        os.close(exited)
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()
    return Ended(code, out, err)


class _Reading:
    """Reads both streams until the program ends, not until its children close them."""

    def __init__(
        self, process: "subprocess.Popen[bytes]", exited: int, bounds: Bounds, sink: Sink | None
    ) -> None:
        out, err = (stream.fileno() for stream in (process.stdout, process.stderr) if stream)
        self._answer, self._told = bytearray(), bytearray()
        self._sink = sink or self._answer.extend
        self._err = err
        self._open = {out, err}
        self._exited = exited
        self._bounds = bounds
        self._count = 0

    def to_the_end(self) -> tuple[bytes, bytes]:
        with selectors.DefaultSelector() as selector:
            for descriptor in (*self._open, self._exited):
                selector.register(descriptor, selectors.EVENT_READ)
            for stream in self._open:
                os.set_blocking(stream, False)
            while not self._step(selector):
                pass
        return bytes(self._answer), bytes(self._told)

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
        self._left()
        if stream == self._err and self._bounds.told is not None:
            self._told += data
            del self._told[: -self._bounds.told]
            return
        self._count += len(data)
        if self._count > self._bounds.output:
            raise Killed("output", bytes(self._told))
        if stream == self._err:
            self._told += data
        else:
            self._sink(data)

    def _left(self) -> float:
        left = self._bounds.deadline - time.monotonic()
        if left <= 0:
            raise Killed("time", bytes(self._told))
        return left
