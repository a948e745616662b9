"""The systemd journal through its own library: events, recognised and bounded.

Fields are cut by the library, entries are counted here, and what is not from who may say it is
passed over, so that a program that writes a million lines costs a bounded look.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from reconciler.model.event import EVENTS, EventKind, Sighting, recognise

FIELD_BYTES = 4096
"""The library cuts longer fields; none that is looked at is this long."""
AFTER_ALL = 2**62
"""A moment after every entry, microseconds: from the library's own tail, the newest is missed."""
PASSED_OVER = 10_000
"""Entries that are looked at for one answer; those of a forger count, too."""


READING_FAILED = (OSError, SystemError)
"""What the library raises where the journal cannot be read."""


class JournalTooFull(Exception):
    """The limit was reached before the answer was complete."""


class JournalMissing(Exception):
    """The journal's library is not installed."""


def open_reader(directory: str | None = None) -> Any:
    """A reader of this machine's journal, or of the files in a directory.

    Raises:
        JournalMissing: The library is not installed.
        OSError, SystemError: The journal cannot be opened.
    """
    try:
        from cysystemd.reader import JournalOpenMode, JournalReader  # noqa: PLC0415 - lazy: C code
    except ImportError as error:
        raise JournalMissing("cysystemd is not installed (reconciler[journal])") from error
    reader = JournalReader()
    if directory is None:
        reader.open(JournalOpenMode.SYSTEM)
    else:
        reader.open_directory(directory)
    reader.data_threshold = FIELD_BYTES
    return reader


def select(reader: Any, kinds: tuple[EventKind, ...]) -> None:
    """Let the library pass over what cannot be one of these kinds."""
    from cysystemd.reader import Rule  # noqa: PLC0415 - lazy: C code

    rules = []
    for kind in kinds:
        event = EVENTS[kind]
        name, wanted = event.sender
        for message in event.ids or (None,):
            rule = Rule("MESSAGE_ID", message) if message else Rule(name, wanted)
            rules.append(rule & Rule(name, wanted) if message and wanted[-1] != "@" else rule)
    for before, rule in pairwise(rules):
        # Appends to the chain; a rule that was joined is the end of its own.
        _ = before | rule.root
    if rules:
        reader.add_filter(rules[0])


def newest(kind: EventKind, most: int, directory: str | None = None) -> list[Sighting]:
    """The newest events of one kind, newest first.

    Raises:
        JournalMissing, OSError, SystemError: As `open_reader`.
        JournalTooFull: Too much of others lies between.
    """
    reader = open_reader(directory)
    select(reader, (kind,))
    reader.seek_realtime_usec(AFTER_ALL)
    return _take(reader, kind, most)


def _take(reader: Any, kind: EventKind, most: int) -> list[Sighting]:
    found: list[Sighting] = []
    for _number in range(PASSED_OVER):
        entry = reader.previous()
        if not entry or len(found) >= most:
            return found
        seen = recognise(kind, texts(entry), entry.get_realtime_usec())
        if seen is not None:
            found.append(seen)
    raise JournalTooFull(f"more than {PASSED_OVER} entries of others were passed over")


def forward(reader: Any, kinds: tuple[EventKind, ...]) -> Iterator[Sighting]:
    """What is new since the reader last looked, oldest first; bounded."""
    for _number in range(PASSED_OVER):
        entry = reader.next()
        if not entry:
            return
        fields, at_us = texts(entry), entry.get_realtime_usec()
        for kind in kinds:
            seen = recognise(kind, fields, at_us)
            if seen is not None:
                yield seen


def texts(entry: Any) -> dict[str, str]:
    """The fields of an entry that are text."""
    return {name: value for name, value in entry.data.items() if isinstance(value, str)}
