"""Wakes when the journal takes in an event of a kind that somebody asked for.

The journal tells by a file descriptor that it has moved, which it does with every line that anybody
writes; the library passes over what is not asked for, and what is left is recognised like anything
else. Waking decides nothing: a run looks, and its checks read for themselves.
"""

from typing import Any

from reconciler.model.event import EventKind, Sighting
from reconciler.targets.watch.reader import (
    AFTER_ALL,
    READING_FAILED,
    JournalMissing,
    forward,
    open_reader,
    select,
)


class JournalWatch:
    """The journal from now on."""

    def __init__(self, reader: Any, kinds: tuple[EventKind, ...]) -> None:
        """Use `open_watch`."""
        self._reader = reader
        self._kinds = kinds

    @classmethod
    def open_watch(
        cls, kinds: tuple[EventKind, ...], directory: str | None = None
    ) -> "JournalWatch":
        """Watch for some kinds of event.

        Raises:
            JournalMissing: The library is not installed.
            OSError, SystemError: The journal cannot be read.
        """
        reader = open_reader(directory)
        select(reader, kinds)
        reader.seek_realtime_usec(AFTER_ALL)
        # A step back puts the reader on the newest entry; from there, next is what is new.
        reader.previous()
        return cls(reader, kinds)

    def fileno(self) -> int:
        """What to poll, for ``POLLIN``."""
        number: int = self._reader.fd
        return number

    def take(self) -> list[Sighting]:
        """What is new since the last call, oldest first."""
        self._reader.process_events()
        return list(forward(self._reader, self._kinds))


__all__ = ["READING_FAILED", "JournalMissing", "JournalWatch"]
