"""One child process: read until it ends, within its time and its output.

Rule 1: What is read of its answer is kept whole or the child is killed; of what it tells people
        only the end is kept, because a build may tell for hours.
Rule 2: Whatever happens, its whole process group is killed before its leader is reaped, so the
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

from reconciler.errors import MachineError

Sink = Callable[[bytes], None]

_TOLD = 64 * 1024
_PIECE = 64 * 1024


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended.

    Attributes:
        exit: Its exit code; negative when a signal killed it.
        stdout: What it answered.
        stderr: The end of what it said.
    """

    exit: int
    stdout: bytes
    stderr: bytes


def run_child(
    argv: Sequence[str],
    environment: Mapping[str, str],
    *,
    timeout_s: float,
    limit: int,
    memory_bytes: int | None = None,
    sink: Sink | None = None,
) -> Ended:
    """Run a program to its end.

    Args:
        argv: Absolute path and arguments.
        environment: All of its environment.
        timeout_s: Seconds until it is killed.
        limit: Bytes that it may answer.
        memory_bytes: Address space that it and each of its children may have; None: no limit.
        sink: Takes what it answers, piece by piece; then nothing of it is kept here.

    Raises:
        MachineError: It took too long or answered too much, and was killed.
        OSError: The system refused to start it.
    """
    deadline = time.monotonic() + timeout_s
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
        if memory_bytes is not None:
            # After its start: what it has by then is small, and code between fork and exec is not
            # safe beside threads.
            with suppress(ProcessLookupError):
                resource.prlimit(process.pid, resource.RLIMIT_AS, (memory_bytes, memory_bytes))
        out, told = _Reading(process, exited, deadline, limit, sink).to_the_end()
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        code = process.wait()
        os.close(exited)
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()
    return Ended(code, out, told)


class _Reading:
    """Reads both streams until the program ends, not until its children close them."""

    def __init__(
        self,
        process: "subprocess.Popen[bytes]",
        exited: int,
        deadline: float,
        limit: int,
        sink: Sink | None,
    ) -> None:
        out, err = (stream.fileno() for stream in (process.stdout, process.stderr) if stream)
        self._out, self._answer, self._count = out, bytearray(), 0
        self._sink = sink or self._answer.extend
        self._err, self._told = err, bytearray()
        self._open = {out, err}
        self._exited = exited
        self._deadline = deadline
        self._limit = limit

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
        if stream == self._err:
            self._told += data
            del self._told[:-_TOLD]
            return
        self._count += len(data)
        if self._count > self._limit:
            raise MachineError(
                f"a program of Nix was killed: it answered more than {self._limit} bytes",
                hint="Ask for less at once; a store path has fewer than a thousand bytes to say.",
            )
        self._sink(data)

    def _left(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise MachineError(
                "a program of Nix was killed: it did not end in time",
                hint="See whether the machine, its disk or the cache is slow, or allow more time.",
            )
        return left
