"""Wakes when tasks have waited too long for a processor, for memory or for storage (PSI triggers).

The kernel compares and tells; nothing is polled. Without CAP_SYS_RESOURCE a window must be a
multiple of two seconds, so it always is.

Source: Linux Documentation/accounting/psi.rst, "Monitoring for pressure thresholds".
"""

import os
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from reconciler.model.event import Resource

WINDOW_US = 10_000_000
"""Longest window that the kernel takes."""

DIRECTORY = Path("/proc/pressure")


class PressureWatch:
    """One threshold of one resource.

    Args:
        resource: What tasks wait for.
        line: ``some`` task waits, or ``full``: every task does.
        percent: Share of the window from which on it tells, 1 to 99.
        directory: Where the kernel's files are; for tests.

    Raises:
        OSError: The kernel does not count pressure, or does not let this process watch it.
    """

    def __init__(
        self,
        resource: Resource,
        line: Literal["some", "full"],
        percent: int,
        directory: Path = DIRECTORY,
    ) -> None:
        self.resource = resource
        self._file = os.open(directory / resource, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            stall_us = WINDOW_US // 100 * min(max(percent, 1), 99)
            os.write(self._file, f"{line} {stall_us} {WINDOW_US}\0".encode())
        except OSError:
            os.close(self._file)
            raise

    def fileno(self) -> int:
        """What to poll, for ``POLLPRI``; it tells at most once a window."""
        return self._file

    def close(self) -> None:
        """Stop watching."""
        os.close(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
