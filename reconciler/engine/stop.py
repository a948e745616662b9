"""A request to end that a signal handler may make at any instant, and that ends a wait at once.

Not a `threading.Event`: its lock cannot be taken twice by one thread, so a handler that runs while
the same thread is about to wait would never return.
"""

import os
import select
import signal
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Stop:
    """Asked for once, then for good."""

    def __init__(self) -> None:
        self._asked = False
        self._read, self._write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def ask(self, _signal: int = 0, _frame: FrameType | None = None) -> None:
        """Ask for the end; may be called by a signal handler, and again."""
        self._asked = True
        with suppress(BlockingIOError):
            os.write(self._write, b"\0")

    def asked(self) -> bool:
        """Whether the end was asked for."""
        return self._asked

    def wait(self, seconds: float) -> bool:
        """Wait, unless or until the end is asked for; answers whether it was."""
        self.wait_for(seconds, ())
        return self._asked

    def wait_for(self, seconds: float, files: Iterable[tuple[int, int]]) -> list[int]:
        """Wait as `wait` does, or until one of some files has something to tell.

        Args:
            seconds: Longest wait.
            files: File descriptors, each with the events of poll(2) that end the wait.

        Returns:
            Those that have something to tell.
        """
        poll = select.poll()
        poll.register(self._read, select.POLLIN)
        for number, events in files:
            poll.register(number, events)
        if self._asked:
            return []
        ready = poll.poll(max(0, int(seconds * 1000)))
        return [number for number, _events in ready if number != self._read]

    def close(self) -> None:
        """Close the pipe."""
        os.close(self._read)
        os.close(self._write)

    @contextmanager
    def on_signals(self) -> Iterator[None]:
        """Take SIGTERM and SIGINT as the request; only in the main thread."""
        before = {number: signal.signal(number, self.ask) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
