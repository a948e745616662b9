"""The header of a systemd journal file: which span of time its entries cover.

Source: systemd "Journal File Format", section Header: little-endian; signature at 0, state at 16,
number of entries at 152, head_entry_realtime and tail_entry_realtime (µs) at 184 and 192.
"""

import struct
from dataclasses import dataclass

from reconciler.checks.parsing.records import Record, records
from reconciler.checks.parsing.shapes import refuse
from reconciler.errors import Unobservable
from reconciler.model.answer import Answers
from reconciler.model.probe import ReadHeads

ON_DISK = ReadHeads("/var/log/journal/*/system*.journal", length=208)
IN_MEMORY = ReadHeads("/run/log/journal/*/system*.journal", length=208)

_SIGNATURE = b"LPKSHHRH"
_ENTRIES = struct.Struct("<Q")
_REALTIMES = struct.Struct("<QQ")


@dataclass(frozen=True, slots=True)
class Span:
    """Moments of the first and the last entry of one file, Unix seconds."""

    first_s: int
    last_s: int


def span(header: bytes) -> Span | None:
    """The span of one file, or ``None`` when it has no entry.

    Raises:
        Unobservable: This is not the header of a journal file.
    """
    if len(header) < ON_DISK.length or not header.startswith(_SIGNATURE):
        raise Unobservable("journal: a file does not start with the header of a journal file")
    (entries,) = _ENTRIES.unpack_from(header, 152)
    first_us, last_us = _REALTIMES.unpack_from(header, 184)
    if entries == 0:
        return None
    # A clock that was set back leaves the last entry before the first.
    moments = sorted((first_us // 1_000_000, last_us // 1_000_000))
    return Span(*moments)


def spans(answers: Answers, probe: ReadHeads, directory: str) -> list[Span]:
    """Spans of the files with entries below a directory.

    Raises:
        Unobservable: One of them could not be read, or is no journal file.
    """
    heads = records(answers.data(probe), probe.pattern)
    ours = [head for head in heads if head.text("path", limit=4096).startswith(directory)]
    found = [span(_bytes(head, probe)) for head in ours]
    return [one for one in found if one is not None]


def require_readable(answers: Answers) -> None:
    """Give up where journalctl would see nothing and not say so.

    It exits with 0 and prints no entry both where there is no journal and, in its output for
    programs, where this user may not read it. A check that calls this declares both probes.

    Raises:
        Unobservable: There is no system journal, or one cannot be read.
    """
    heads = [
        (head, probe)
        for probe in (ON_DISK, IN_MEMORY)
        for head in records(answers.data(probe), probe.pattern)
    ]
    if not heads:
        refuse(ON_DISK, "there is no journal to read")
    for head, probe in heads:
        span(_bytes(head, probe))


def _bytes(head: Record, probe: ReadHeads) -> bytes:
    if head.text("status") != "ok":
        refuse(probe, "a journal file could not be read; needs root or the group systemd-journal")
    try:
        return bytes.fromhex(head.text("hex", limit=2 * probe.length))
    except ValueError as problem:
        raise Unobservable(f"{probe.pattern}: an answer is not hexadecimal") from problem
