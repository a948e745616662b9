"""Runs that are on the disk and not in the ledger yet: the queue of the sealing mode.

A file of canonical JSON lines: one that says which entry it continues from and what the runs
repeat, then one for each run. A run counts as recorded once its line is on the disk.

Rule 1: A line is written behind the last whole one, whatever a crash or a full disk left there.
Rule 2: What cannot be read is kept aside and said; nothing of it is guessed.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from reconciler.errors import EvidenceError, MachineError
from reconciler.evidence import canonical
from reconciler.evidence.entry import Reference, stamp
from reconciler.guard import memory_form as form
from reconciler.ledger.durable import flush, on_disk

MOST = 1000
"""Runs in one file: more would not fit into the one line that seals them."""

_MAX_BYTES = 256 * 1024
_MILLISECOND = timedelta(milliseconds=1)
KEPT_ASIDE = (
    "The file is kept as pending-runs.torn. One line that was being written when the machine died "
    "was not acknowledged; more than that is a damaged disk, or a ledger restored from a copy."
)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Neighbouring runs that found what an older one found.

    Attributes:
        after: The newest entry when the first of them was recorded.
        like: Sequence number of the run that they repeat.
        reached: Whether they reached the fleet repository; that is part of what they repeat.
        runs: When each was recorded, and how many milliseconds it took; oldest first.
    """

    after: Reference
    like: int
    reached: bool
    runs: tuple[tuple[datetime, int], ...] = ()

    @property
    def first(self) -> datetime:
        """When the oldest run was recorded."""
        return self.runs[0][0]

    @property
    def last(self) -> datetime:
        """When the newest run was recorded."""
        return self.runs[-1][0]

    @property
    def ticks(self) -> list[int]:
        """Milliseconds from one run to the next; the first has none before it."""
        times = [at for at, _ in self.runs]
        return [0, *((new - old) // _MILLISECOND for old, new in pairwise(times))]

    def body(self, at: datetime) -> dict[str, Any]:
        """What the entry says that seals them.

        Args:
            at: When it is sealed.
        """
        took = max(took for _, took in self.runs)
        said = {"like": self.like, "reached": self.reached, "took_ms": took, "ticks": self.ticks}
        ago = (whole(at) - self.last) // _MILLISECOND
        return said | ({"ago_ms": ago} if ago else {})


def whole(at: datetime) -> datetime:
    """A time as evidence says it: in whole milliseconds."""
    return datetime.fromisoformat(stamp(at))


class PendingFile:
    """The file; one process holds it, under the host's lock.

    Attributes:
        path: Where it is.
    """

    def __init__(self, path: Path) -> None:
        """Args: path: Where it is, or will be, in a directory that is there."""
        self.path = path
        self._size = 0

    def read(self) -> tuple[Waiting | None, str | None]:
        """What waits, and what could not be read of it, in words.

        Raises:
            MachineError: The file cannot be read.
        """
        try:
            with self.path.open("rb") as file:
                data = file.read(_MAX_BYTES)
        except FileNotFoundError:
            return None, None
        except OSError as error:
            message = f"cannot read {self.path}: {error.strerror}"
            raise MachineError(message, hint="See the kernel log for disk errors.") from error
        waiting, self._size = _parse(data)
        if self._size == len(data):
            return waiting, None
        count = 0 if waiting is None else len(waiting.runs)
        return waiting, f"{self.path}: {len(data) - self._size} bytes after run {count} are torn"

    def begin(self, waiting: Waiting) -> None:
        """Start over with runs that continue from another entry; on the disk when this returns.

        Raises:
            MachineError: It cannot be written; nothing of it counts.
        """
        self._size = 0
        self._write(_head(waiting) + b"".join(_line(*run) for run in waiting.runs), new=True)

    def add(self, at: datetime, took_ms: int) -> None:
        """One more run; on the disk when this returns.

        Raises:
            MachineError: It cannot be written; the run does not count.
        """
        self._write(_line(at, took_ms), new=False)

    def clear(self, *, aside: bool = False) -> None:
        """Forget all of them, because they are sealed.

        Args:
            aside: Whether to keep the file under another name, because not all of it was read.

        Raises:
            MachineError: The file cannot be removed.
        """
        with on_disk(self.path):
            if aside:
                self.path.replace(self.path.with_name(f"{self.path.name}.torn"))
            else:
                self.path.unlink(missing_ok=True)
            flush(self.path.parent)
        self._size = 0

    def _write(self, data: bytes, *, new: bool) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        with on_disk(self.path):
            descriptor = os.open(self.path, flags, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.truncate(self._size)
                file.seek(self._size)
                file.write(data)
                flush(file)
            if new:
                flush(self.path.parent)
        self._size += len(data)


def _head(waiting: Waiting) -> bytes:
    after = {"seq": waiting.after.seq, "sha256": waiting.after.digest}
    head = {"after": after, "like": waiting.like, "reached": waiting.reached}
    return canonical.encode(head) + b"\n"


def _line(at: datetime, took_ms: int) -> bytes:
    return canonical.encode({"at": stamp(at), "took_ms": took_ms}) + b"\n"


def _parse(data: bytes) -> tuple[Waiting | None, int]:
    """The runs up to the first line that does not read, and how many bytes those are."""
    waiting: Waiting | None = None
    size = 0
    for line in data.splitlines(keepends=True):
        try:
            value = canonical.decode(line.removesuffix(b"\n"))
            if not line.endswith(b"\n"):
                break
            waiting = _read_head(value) if waiting is None else _read_run(waiting, value)
        except (EvidenceError, form.Malformed, ValueError):
            break
        size += len(line)
    if waiting is None or not waiting.runs:
        return None, 0
    return waiting, size


def _read_head(value: object) -> Waiting:
    fields = form.fields(value, {"after", "like", "reached"})
    after = form.fields(fields["after"], {"seq", "sha256"})
    reached = fields["reached"]
    if type(reached) is not bool:
        raise form.Malformed("true or false is missing")
    reference = Reference(form.count(after["seq"]), form.digest(after["sha256"]))
    return Waiting(reference, form.count(fields["like"]), reached)


def _read_run(waiting: Waiting, value: object) -> Waiting:
    fields: Mapping[str, Any] = form.fields(value, {"at", "took_ms"})
    at = datetime.fromisoformat(form.text(fields["at"])).astimezone(UTC)
    if (waiting.runs and at < waiting.last) or len(waiting.runs) >= MOST:
        raise form.Malformed("a run out of order, or one too many")
    return replace(waiting, runs=(*waiting.runs, (at, form.count(fields["took_ms"]))))
