"""Entries for other in-toto tools: one DSSE envelope a line, byte for byte as it is stored."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from reconciler.evidence.record import Record
from reconciler.report.period import Period


@dataclass(slots=True)
class Written:
    """What an export holds, counted while it is written.

    Attributes:
        envelopes: Entries that were written.
        left_out: Slim entries: their signature is on a Git commit, which no envelope can carry.
    """

    envelopes: int = 0
    left_out: int = 0

    @property
    def sentence(self) -> str:
        """What a reader of the export must know."""
        said = f"{self.envelopes} entries, one envelope a line, newest first"
        if not self.left_out:
            return said
        return (
            f"{said}; {self.left_out} entries without a file are not in it: they only repeat an"
            " earlier run or name the log, and their signature is on their commit"
        )


def in_period(records: Iterable[Record], period: Period) -> Iterator[Record]:
    """The entries of a period, newest first; nothing older than it is read."""
    for record in records:
        if record.entry.recorded_at < period.start:
            return
        if record.entry.recorded_at <= period.end:
            yield record


def line(envelope: bytes) -> bytes:
    """A stored envelope as a line; canonical JSON holds no line feed."""
    return envelope + b"\n"
