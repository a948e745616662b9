"""One ticket: a fault in front of people, and what each channel was told of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from reconciler.incident import ticket_form as form

END = 9999
"""The step after the last: the incident has ended."""

Aim = tuple[int, int]
"""What a channel is told: the round, and the step in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What one channel was told of one ticket.

    Attributes:
        told: The last thing that arrived; ``None`` before that.
        aim: What was tried last.
        tries: Tries of it that did not succeed, the running one included.
        at: When it was tried last.
        open: Whether that try has no result yet.
        key: What the receiver knows it by: the ticket's own key, or a digest's.
        message: Id of the message that was tried last; the same one in every try.
        reference: The receiver's number for it, if it gave one.
    """

    told: Aim | None
    aim: Aim
    tries: int
    at: datetime
    open: bool
    key: str
    message: str
    reference: int | None = None

    @property
    def told_the_end(self) -> bool:
        """Whether the channel knows that the incident has ended."""
        return self.told is not None and self.told[1] == END

    @property
    def saying_goodbye(self) -> bool:
        """Whether that is what was tried last."""
        return self.aim[1] == END

    def to_body(self) -> dict[str, Any]:
        """JSON values for evidence; `from_body` is the inverse."""
        return {
            "told": None if self.told is None else list(self.told),
            "aim": list(self.aim),
            "tries": self.tries,
            "at": form.stamp(self.at),
            "open": self.open,
            "key": self.key,
            "message": self.message,
            "reference": self.reference,
        }

    @classmethod
    def from_body(cls, value: object) -> "Delivery":
        """A delivery as evidence holds it.

        Raises:
            Malformed: It does not read as one.
        """
        names = {"told", "aim", "tries", "at", "open", "key", "message", "reference"}
        found = form.fields(value, names)
        return cls(
            told=None if found["told"] is None else form.pair(found["told"]),
            aim=form.pair(found["aim"]),
            tries=form.count(found["tries"]),
            at=form.time(found["at"]),
            open=form.flag(found["open"]),
            key=form.text(found["key"]),
            message=form.digest(found["message"]),
            reference=form.optional_count(found["reference"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """One fault in front of people.

    Attributes:
        incident: Id of its newest incident.
        rule: The bound rule that fails.
        key: What receivers know it by: the id of its first incident.
        reason: Why people are asked: a stable code.
        round: Counts how often people were asked anew.
        opened: When this round began.
        acknowledged: Whether somebody has taken it over in this round.
        channels: What each channel was told.
    """

    incident: str
    rule: str
    key: str
    reason: str
    round: int
    opened: datetime
    acknowledged: bool = False
    channels: Mapping[str, Delivery] = field(default_factory=dict)

    def to_body(self) -> dict[str, Any]:
        """JSON values for evidence; `from_body` is the inverse."""
        return {
            "incident": self.incident,
            "rule": self.rule,
            "key": self.key,
            "reason": self.reason,
            "round": self.round,
            "opened": form.stamp(self.opened),
            "acknowledged": self.acknowledged,
            "channels": {name: one.to_body() for name, one in self.channels.items()},
        }

    @classmethod
    def from_body(cls, value: object) -> "Ticket":
        """A ticket as evidence holds it.

        Raises:
            Malformed: It does not read as one.
        """
        found = form.fields(value, {*cls.__slots__})
        channels = form.mapping(found["channels"])
        return cls(
            incident=form.text(found["incident"]),
            rule=form.text(found["rule"]),
            key=form.text(found["key"]),
            reason=form.text(found["reason"]),
            round=form.count(found["round"]),
            opened=form.time(found["opened"]),
            acknowledged=form.flag(found["acknowledged"]),
            channels={form.text(name): Delivery.from_body(one) for name, one in channels.items()},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One channel.

    Attributes:
        failures: Tries in a row that did not succeed, a running one included.
        at: When it was tried last.
        recent: When it was tried within the last hour.
    """

    failures: int
    at: datetime
    recent: tuple[datetime, ...]

    def to_body(self) -> dict[str, Any]:
        """JSON values for evidence; `from_body` is the inverse."""
        recent = [form.stamp(one) for one in self.recent]
        return {"failures": self.failures, "at": form.stamp(self.at), "recent": recent}

    @classmethod
    def from_body(cls, value: object) -> "Line":
        """A channel as evidence holds it.

        Raises:
            Malformed: It does not read as one.
        """
        found = form.fields(value, {"failures", "at", "recent"})
        return cls(
            failures=form.count(found["failures"]),
            at=form.time(found["at"]),
            recent=tuple(form.time(one) for one in form.items(found["recent"])),
        )
