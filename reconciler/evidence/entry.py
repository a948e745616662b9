"""An entry of a ledger: its nouns, without the way they are written.

An entry is written in one of two ways. Most have a file, a signed in-toto statement
(`reconciler.evidence.statement`). A *slim* one says that nothing has changed, or names the log's
root: it has no file, its statement is one line in the message of its signed commit
(`reconciler.evidence.slim`), and what it leaves out it takes from its base, the newest entry
before it that has a file.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from reconciler.errors import EvidenceError
from reconciler.evidence.merkle import Frontier

FIRST_SEQ = 0
LAST_SEQ = 99_999_999
MAX_OPEN = 256

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")
_SOURCE = re.compile(r"[a-z][a-z0-9-]{0,31}")
_MAX_CLOCK = 2**53 - 1
_HINT = "An entry is written by the ledger of this version or an older one; it is never edited."


class Kind(StrEnum):
    """What an entry is about. Closed: a kind that is not here is refused."""

    GENESIS = "genesis"
    RUN = "run"
    HEARTBEAT = "heartbeat"
    INTENT = "intent"
    OUTCOME = "outcome"
    GAP = "gap"
    REFUSAL = "refusal"
    KEY_CHANGE = "key-change"
    ANNOTATION = "annotation"
    CHECKPOINT = "checkpoint"
    COSIGNATURE = "cosignature"
    ANCHOR = "anchor"
    COPY = "copy"
    ADVICE = "advice"
    TICKET = "ticket"
    SYSTEM = "system"


SLIM_KINDS = frozenset({Kind.RUN, Kind.HEARTBEAT, Kind.CHECKPOINT})
"""Kinds that may be written without a file."""


@dataclass(frozen=True, slots=True)
class Subject:
    """The desired state that an entry is about.

    Attributes:
        commit: Object id of the fleet commit, 40 hex digits.
        policy: Hex SHA-256 of the desired state resolved from it.
    """

    commit: str
    policy: str


@dataclass(frozen=True, slots=True, order=True)
class Reference:
    """An entry named by another entry.

    Attributes:
        seq: Its sequence number.
        digest: Hex SHA-256 of its statement.
    """

    seq: int
    digest: str


@dataclass(frozen=True, slots=True)
class Clock:
    """What the machine knew of its time when it wrote an entry.

    Attributes:
        source: Who says so: ``kernel``, or ``unknown``.
        synchronised: Whether the wall clock is disciplined; None when that is unknown.
        offset_us: The kernel's idea of the remaining offset, microseconds.
        uptime_s: Whole seconds since boot, suspended time included; None when unknown.
        age_ms: How long before the entry's time the clock was read.
    """

    source: str
    synchronised: bool | None
    offset_us: int | None
    uptime_s: int | None
    age_ms: int

    def to_json(self) -> dict[str, Any]:
        """JSON values, in the names of the statement."""
        return {
            "source": self.source,
            "synchronised": self.synchronised,
            "offsetUs": self.offset_us,
            "uptimeS": self.uptime_s,
            "ageMs": self.age_ms,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Clock":
        """The inverse of `to_json`; `check_entry` judges what is in it."""
        return cls(
            value["source"],
            value["synchronised"],
            value["offsetUs"],
            value["uptimeS"],
            value["ageMs"],
        )


UNKNOWN_CLOCK = Clock("unknown", None, None, None, 0)
"""Of an entry that was written before anybody could ask the machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of a ledger.

    Attributes:
        kind: What it is about.
        seq: 0 for genesis, then one more each.
        previous: Hex SHA-256 of the statement before, None for genesis.
        ref: Full name of its branch: ``refs/heads/<client>/<host>``.
        client: One clinic, a DNS label.
        host: The appliance, a DNS label.
        recorded_at: RFC 3339 in UTC with milliseconds: ``2026-03-01T12:00:00.000Z``.
        clock: What the machine knew of its time.
        base: For a slim entry, the newest entry before it that has a file: what follows down to
            ``open`` is as it was there, and None or empty here. None for an entry with a file.
        boot_id: The kernel's boot id: two entries with the same one share a monotonic clock.
        tool: Versions of what wrote it, by name.
        subject: The desired state in force, None if there is none yet.
        log: The log of all entries before this one.
        closes: The intent that an outcome closes; None for every other kind.
        open: Older intents that no outcome has closed yet, by sequence number.
        body: What this kind says: canonical JSON, its shape belongs to its writer.
    """

    kind: Kind
    seq: int
    previous: str | None
    ref: str
    client: str
    host: str
    recorded_at: str
    clock: Clock
    base: int | None
    boot_id: str | None
    tool: Mapping[str, str]
    subject: Subject | None
    log: Frontier | None
    closes: Reference | None
    open: tuple[Reference, ...]
    body: Mapping[str, Any]

    @property
    def time(self) -> datetime:
        """When it was recorded."""
        return datetime.fromisoformat(self.recorded_at)

    @property
    def read_at(self) -> datetime:
        """When its clock was read, by the same clock."""
        return self.time - timedelta(milliseconds=self.clock.age_ms)

    @property
    def slim(self) -> bool:
        """Whether it has no file."""
        return self.base is not None


def stamp(at: datetime) -> str:
    """A timezone-aware time as entries write it.

    Raises:
        EvidenceError: The time has no zone.
    """
    if at.tzinfo is None:
        raise EvidenceError("time has no time zone", hint="Pass an aware time in UTC.")
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def check_entry(entry: Entry) -> None:
    """What holds for every entry, however it is written.

    Raises:
        EvidenceError: A field is out of its bounds.
    """
    check_seq(entry.seq)
    if (entry.kind is Kind.GENESIS, entry.previous is None) != (entry.seq == FIRST_SEQ,) * 2:
        raise refusal(f"a {entry.kind.value} at {entry.seq} with the wrong kind of predecessor")
    if entry.previous is not None:
        check_text("previous digest", _SHA256, entry.previous)
    check_text("client", _NAME, entry.client)
    check_text("host", _NAME, entry.host)
    if entry.ref != f"refs/heads/{entry.client}/{entry.host}":
        raise refusal("a branch that is not its client and host")
    _check_time(entry.recorded_at)
    _check_clock(entry.clock)


def check_seq(seq: object) -> None:
    """A sequence number, or an error."""
    if type(seq) is not int or not FIRST_SEQ <= seq <= LAST_SEQ:
        raise refusal(f"sequence number {seq!r:.40}")


def check_text(what: str, pattern: re.Pattern[str], value: object) -> None:
    """Text that fits a pattern as a whole, or an error."""
    if type(value) is not str or not pattern.fullmatch(value):
        raise refusal(f"{what} {value!r:.80}")


def refusal(what: str) -> EvidenceError:
    """The error that a statement is refused with."""
    return EvidenceError(f"statement has {what}", hint=_HINT)


def _check_time(text: object) -> None:
    check_text("time", _TIME, text)
    try:
        datetime.fromisoformat(str(text))
    except ValueError as error:
        raise refusal(f"time {text} ({error})") from error


def _check_clock(clock: Clock) -> None:
    check_text("clock source", _SOURCE, clock.source)
    if clock.synchronised is not None and type(clock.synchronised) is not bool:
        raise refusal("a clock that is neither synchronised nor not")
    for number in (clock.offset_us, clock.uptime_s):
        if number is not None and (type(number) is not int or abs(number) > _MAX_CLOCK):
            raise refusal(f"clock value {number!r:.40}")
    if type(clock.age_ms) is not int or not 0 <= clock.age_ms <= _MAX_CLOCK:
        raise refusal(f"clock age {clock.age_ms!r:.40}")
