"""What the ledger says about freshness and recovery, followed entry by entry like the rest.

How old a heartbeat is must not depend on the wall clock alone, which somebody can hold back. So
the time that went by since it was first seen is counted from reading to reading of the boot clock.
Every entry holds such a reading, and so every entry moves this on, those without a file too.

Rule 1: Within a boot, time is what the boot clock says. Across boots it is at least the uptime,
        and what the wall clock says if that is more. It is never less because a clock was set.
Rule 2: A heartbeat that was seen is in the ledger before what is known of it may be lost.
Rule 3: What does not read is damage, never a fresh start; a ledger that carries nothing has seen
        nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from reconciler.errors import LedgerDamaged
from reconciler.evidence.bodies import recovery_body
from reconciler.evidence.entry import Entry, Kind, stamp
from reconciler.guard import memory_form as form
from reconciler.model.run import Recovered

_HINT = "Verify the ledger (reconciler verify REPOSITORY); nothing is applied until it is whole."


@dataclass(frozen=True, slots=True)
class Reading:
    """The clocks of a machine, read together.

    Attributes:
        at: Wall time.
        uptime_s: Whole seconds since boot, suspended time included.
        boot_id: Which boot; empty or ``None`` when that is unknown.
    """

    at: datetime
    uptime_s: int
    boot_id: str | None

    def until(self, later: "Reading") -> int:
        """Whole seconds that went by until a later reading, at least."""
        wall = (later.at - self.at) // timedelta(seconds=1)
        up = later.uptime_s - self.uptime_s
        if self.boot_id and self.boot_id == later.boot_id:
            return max(up, 0)
        if self.boot_id and later.boot_id:
            up = later.uptime_s
        return max(up, wall, 0)


@dataclass(frozen=True, slots=True)
class Sight:
    """A heartbeat that was seen and believed.

    Attributes:
        counter: Its number.
        commit: The commit that it saw at the tip of the branch.
        time: When it was signed, by what it says.
        statement: Hex SHA-256 of what was signed.
        by: Who signed it, as the trust policy names them.
        seen_s: Seconds since it was first seen, up to the newest reading of the clocks.
    """

    counter: int
    commit: str
    time: datetime
    statement: str
    by: str
    seen_s: int = 0

    def age_s(self, now: datetime) -> int:
        """How old it is: the larger of what the wall clock says, and the time since it was seen."""
        return max((now - self.time) // timedelta(seconds=1), self.seen_s)


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known up to the newest reading of the clocks.

    Attributes:
        reading: That reading; ``None`` before the first.
        sight: The newest heartbeat; ``None`` if none was ever believed.
        recorded: The newest one that the ledger holds: what a restart would remember.
        recovery: The last recovery that was used.
        held: Codes of what held the desired state in the newest run, and since when.
    """

    reading: Reading | None = None
    sight: Sight | None = None
    recorded: Sight | None = None
    recovery: Recovered | None = None
    held: Mapping[str, datetime] = field(default_factory=dict)

    def at(self, reading: Reading) -> "Standing":
        """Let time go by until another reading."""
        went_by = 0 if self.reading is None else self.reading.until(reading)
        return replace(
            self,
            reading=reading,
            sight=_older(self.sight, went_by),
            recorded=_older(self.recorded, went_by),
        )

    def seeing(self, sight: Sight) -> "Standing":
        """A heartbeat was believed; one that is not newer than what was seen changes nothing."""
        if self.sight is not None and sight.counter <= self.sight.counter:
            return self
        return replace(self, sight=sight)

    def forgetting_heartbeats(self) -> "Standing":
        """After a recovery, counting begins anew.

        Who stole the key of CI could have used up all numbers: enough people ended that.
        """
        return replace(self, sight=None, recorded=None)

    def news(self) -> dict[str, Any]:
        """What an entry without a file says of a heartbeat that the ledger does not hold yet."""
        known = None if self.recorded is None else self.recorded.statement
        if self.sight is None or self.sight.statement == known:
            return {}
        return {"heartbeat": _sight_body(self.sight)}

    def news_due(self, within_s: int) -> bool:
        """Whether it must be said now: what a restart remembers was seen too long ago.

        Args:
            within_s: How many seconds of it may be lost.
        """
        return bool(self.news()) and (self.recorded is None or self.recorded.seen_s >= within_s)

    def after(self, entry: Entry, boot_id: str | None) -> "Standing":
        """What is known once one more entry of the ledger is read.

        Args:
            entry: The entry.
            boot_id: The boot that it was written in.

        Raises:
            LedgerDamaged: It does not say what its kind must say.
        """
        reading = reading_of(entry, boot_id)
        moved = self if reading is None else self.at(reading)
        if entry.kind is Kind.RUN and not entry.slim and "standing" in entry.body:
            return replace(Standing.from_body(entry.body["standing"]), reading=moved.reading)
        if entry.kind is Kind.RUN and "heartbeat" in entry.body:
            seen = moved.seeing(_parsed(_read_sight, entry.body["heartbeat"]))
            return replace(seen, recorded=seen.sight)
        if entry.kind is Kind.INTENT and entry.body.get("recovery") is not None:
            recovery = _parsed(_read_recovery, entry.body["recovery"])
            # The run that used it may be repeated after a crash, and must not forget twice.
            if recovery != moved.recovery:
                moved = replace(moved.forgetting_heartbeats(), recovery=recovery)
            return moved
        if entry.kind is Kind.REFUSAL and entry.body.get("held") is True:
            reason = str(entry.body.get("reason"))
            return replace(moved, held={reason: entry.time, **moved.held})
        return moved

    def to_body(self) -> dict[str, Any]:
        """JSON values for evidence; `from_body` is the inverse, but for the reading."""
        return {
            "heartbeat": self.sight and _sight_body(self.sight),
            "recovery": self.recovery and recovery_body(self.recovery),
            "held": {reason: stamp(since) for reason, since in self.held.items()},
        }

    @classmethod
    def from_body(cls, body: object) -> "Standing":
        """What a run entry carried; None where it is of a version that carried nothing.

        Raises:
            LedgerDamaged: It does not read as what `to_body` writes.
        """
        return cls() if body is None else _parsed(_read_standing, body)


def reading_of(entry: Entry, boot_id: str | None) -> Reading | None:
    """The clocks as an entry read them; None where it did not."""
    if entry.clock.uptime_s is None:
        return None
    return Reading(entry.read_at, entry.clock.uptime_s, boot_id)


def _older(sight: Sight | None, seconds: int) -> Sight | None:
    return None if sight is None else replace(sight, seen_s=sight.seen_s + seconds)


def _sight_body(sight: Sight) -> dict[str, Any]:
    return {
        "counter": sight.counter,
        "commit": sight.commit,
        "time": stamp(sight.time),
        "sha256": sight.statement,
        "by": sight.by,
        "seen_s": sight.seen_s,
    }


def _parsed(read: Any, body: object) -> Any:
    try:
        return read(body)
    except (form.Malformed, ValueError) as error:
        message = f"what an entry carried about freshness is garbled: {error}"
        raise LedgerDamaged(message, hint=_HINT) from error


def _read_standing(body: object) -> Standing:
    fields = form.fields(body, {"heartbeat", "recovery", "held"})
    sight = None if fields["heartbeat"] is None else _read_sight(fields["heartbeat"])
    recovery = None if fields["recovery"] is None else _read_recovery(fields["recovery"])
    held = {form.text(key): _time(at) for key, at in form.mapping(fields["held"]).items()}
    return Standing(sight=sight, recorded=sight, recovery=recovery, held=held)


def _read_sight(body: object) -> Sight:
    fields = form.fields(body, {"counter", "commit", "time", "sha256", "by", "seen_s"})
    return Sight(
        form.count(fields["counter"]),
        form.text(fields["commit"]),
        _time(fields["time"]),
        form.digest(fields["sha256"]),
        form.text(fields["by"]),
        form.count(fields["seen_s"]),
    )


def _read_recovery(body: object) -> Recovered:
    fields = form.fields(body, {"sha256", "issued", "people"})
    if not isinstance(fields["people"], list):
        raise form.Malformed("a list is missing")
    people = tuple(map(form.text, fields["people"]))
    return Recovered(form.digest(fields["sha256"]), _time(fields["issued"]), people)


def _time(value: object) -> datetime:
    at = datetime.fromisoformat(form.text(value))
    if at.tzinfo is None:
        raise form.Malformed("a time has no zone")
    return at
