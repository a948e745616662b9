"""What guards need of an incident's transitions: what came back, and what a host is closed for."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from reconciler.guard import memory_form as form
from reconciler.guard import recurrence
from reconciler.guard.recurrence import Flap
from reconciler.model.incident import ENDED


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """One transition, as an entry says it.

    Attributes:
        incident: Its id.
        fingerprint: Of what differs.
        rule: Bound rule.
        after: State it comes into.
        recurred: Whether a verified fix did not hold.
    """

    incident: str
    fingerprint: str
    rule: str
    after: str
    recurred: bool


@dataclass(frozen=True, slots=True)
class Quarantine:
    """An incident that a host is closed for.

    Attributes:
        fingerprint: The incident's.
        rule: The rule that failed.
        at: When it was closed.
    """

    fingerprint: str
    rule: str
    at: datetime

    def to_body(self) -> dict[str, Any]:
        """JSON values; times are whole microseconds since 1970."""
        return {"fingerprint": self.fingerprint, "rule": self.rule, "at": form.stamp(self.at)}

    @classmethod
    def from_body(cls, body: object) -> "Quarantine":
        """The inverse of `to_body`.

        Raises:
            Malformed: It does not read as a quarantine.
        """
        fields = form.fields(body, {"fingerprint", "rule", "at"})
        return cls(
            form.digest(fields["fingerprint"]), form.text(fields["rule"]), form.time(fields["at"])
        )


def read(body: Mapping[str, Any]) -> Iterator[Transition]:
    """The transitions that an entry carries; an older version wrote none.

    Raises:
        Malformed: One does not read as a transition.
    """
    for each in form.sequence(body.get("incidents", ())):
        said = form.mapping(each)
        yield Transition(
            incident=form.text(said.get("id")),
            fingerprint=form.digest(said.get("fingerprint")),
            rule=form.text(said.get("rule")),
            after=form.text(said.get("to")),
            recurred=form.flag(said.get("recurred", False)),
        )


def flaps(
    before: Mapping[str, Flap], each: Transition, at: datetime, forget: timedelta
) -> Mapping[str, Flap]:
    """The flaps after one more transition: what was verified, and what came back."""
    if each.after == "soak":
        return recurrence.held(before, (each.rule,), at, forget)
    return recurrence.came_back(before, (each.rule,), at) if each.recurred else before


def quarantined(
    before: Mapping[str, Quarantine], each: Transition, at: datetime
) -> dict[str, Quarantine]:
    """What a host is closed for after one more transition."""
    closed = dict(before)
    if each.after == "quarantined":
        closed[each.incident] = Quarantine(each.fingerprint, each.rule, at)
    elif each.after in ENDED:
        closed.pop(each.incident, None)
    return closed
