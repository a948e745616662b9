"""What was handed to people: a fold over ``ticket`` entries, and nothing else.

A ticket is of one fingerprint: however often a run sees the same fault, people are called once for
each step of their chain. Before anything leaves, an entry says so; after it, another says how it
went. A try that has no second entry was interrupted: it counts as one that failed, and the next
one carries the same message id, by which whoever received the first can tell.

Rule 1: What is known is what the entries say; a lost answer is a try that failed.
Rule 2: A ticket that was ended and told is forgotten, so that memory does not grow with history.
Rule 3: What does not read as tickets is an error, never a fresh start.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from reconciler.errors import LedgerDamaged
from reconciler.incident import ticket_form as form
from reconciler.incident.ticket import Delivery, Line, Ticket

HOUR = timedelta(hours=1)
OF_ONE_MESSAGE = frozenset({"refused", "too-large"})
"""Codes that say nothing against the channel: another message may arrive."""

_HINT = "Verify the ledger (reconciler verify REPOSITORY); nothing is applied until it is whole."


@dataclass(frozen=True, slots=True)
class Tickets:
    """Everything that people were told and have not been told the end of.

    Attributes:
        open: By fingerprint.
        lines: By channel.
    """

    open: Mapping[str, Ticket] = field(default_factory=dict)
    lines: Mapping[str, Line] = field(default_factory=dict)

    @classmethod
    def empty(cls) -> "Tickets":
        """Before the first ticket."""
        return cls()

    def to_body(self) -> dict[str, Any]:
        """JSON values for evidence; `from_body` is the inverse."""
        return {
            "open": {name: ticket.to_body() for name, ticket in self.open.items()},
            "lines": {name: line.to_body() for name, line in self.lines.items()},
        }

    @classmethod
    def from_body(cls, body: object) -> "Tickets":
        """Tickets as an entry of the ledger holds them; none where it says nothing of them.

        Raises:
            LedgerDamaged: It does not read as tickets.
        """
        if body is None:
            return cls.empty()
        try:
            found = form.fields(body, {"open", "lines"})
            open_, lines = form.mapping(found["open"]), form.mapping(found["lines"])
            return cls(
                {form.digest(name): Ticket.from_body(value) for name, value in open_.items()},
                {form.text(name): Line.from_body(value) for name, value in lines.items()},
            )
        except form.Malformed as error:
            raise LedgerDamaged(f"the memory of tickets is garbled: {error}", hint=_HINT) from error


def fold(tickets: Tickets, kind: str, body: Mapping[str, Any], at: datetime) -> Tickets:
    """The tickets after one more entry of the ledger.

    Args:
        tickets: Before the entry.
        kind: The entry's kind; any but ``ticket`` changes nothing.
        body: The entry's body.
        at: The entry's time.

    Raises:
        LedgerDamaged: The body does not say what a ticket entry must say.
    """
    if kind != "ticket":
        return tickets
    try:
        match form.text(body.get("phase")), form.optional_text(body.get("channel")):
            case "acknowledged", None:
                return _acknowledged(tickets, body, at)
            case "closed", None:
                return _closed(tickets, body)
            case (("opened" | "step" | "closed"), str(channel)):
                return _tried(tickets, body, channel, at)
            case ("sent" | "unsent") as phase, str(channel):
                return _answered(tickets, body, channel, arrived=phase == "sent")
            case _:
                raise form.Malformed("there is no such phase")
    except form.Malformed as error:
        raise LedgerDamaged(f"entry ticket is garbled: {error}", hint=_HINT) from error


def _acknowledged(tickets: Tickets, body: Mapping[str, Any], at: datetime) -> Tickets:
    found = dict(tickets.open)
    for covered in form.covered(body):
        found[covered.ticket] = replace(_renewed(found, covered, at), acknowledged=True)
    return replace(tickets, open=found)


def _closed(tickets: Tickets, body: Mapping[str, Any]) -> Tickets:
    gone = {covered.ticket for covered in form.covered(body)}
    return replace(tickets, open={n: t for n, t in tickets.open.items() if n not in gone})


def _tried(tickets: Tickets, body: Mapping[str, Any], channel: str, at: datetime) -> Tickets:
    """A message is about to leave."""
    key, message = form.text(body.get("key")), form.digest(body.get("message"))
    found = dict(tickets.open)
    for covered in form.covered(body):
        ticket = _renewed(found, covered, at)
        before = ticket.channels.get(channel)
        delivery = Delivery(
            told=before.told if before else None,
            aim=(covered.round, covered.step),
            tries=1 + (before.tries if before and before.message == message else 0),
            at=at,
            open=True,
            key=key,
            message=message,
            reference=before.reference if before and before.key == key else None,
        )
        found[covered.ticket] = replace(ticket, channels={**ticket.channels, channel: delivery})
    line = tickets.lines.get(channel)
    recent = tuple(one for one in (line.recent if line else ()) if at - one < HOUR)
    # A try that nothing ends is one that failed, so it counts until something says otherwise.
    tried = Line(failures=1 + (line.failures if line else 0), at=at, recent=(*recent, at))
    return Tickets(found, {**tickets.lines, channel: tried})


def _answered(tickets: Tickets, body: Mapping[str, Any], channel: str, *, arrived: bool) -> Tickets:
    message = form.digest(body.get("message"))
    reference = form.optional_count(body.get("reference"))
    found = dict(tickets.open)
    for name, ticket in tickets.open.items():
        delivery = ticket.channels.get(channel)
        if delivery is None or delivery.message != message:
            continue
        after = replace(delivery, open=False)
        if arrived:
            known = delivery.reference if reference is None else reference
            after = replace(after, told=delivery.aim, tries=0, reference=known)
        found[name] = replace(ticket, channels={**ticket.channels, channel: after})
    line = tickets.lines.get(channel)
    if line is None:
        raise form.Malformed("an answer of a channel that nothing was sent to")
    # What is refused says nothing against the channel: another message may arrive.
    taken_back = body.get("reason") in OF_ONE_MESSAGE
    failures = 0 if arrived else max(line.failures - taken_back, 0)
    return Tickets(found, {**tickets.lines, channel: replace(line, failures=failures)})


def _renewed(found: dict[str, Ticket], new: form.Covered, at: datetime) -> Ticket:
    """The ticket of a round; what receivers know it by stays, also of one that it follows."""
    before = found.pop(new.follows, None) if new.follows else None
    old = found.get(new.ticket, before)
    if old is not None and new.round <= old.round:
        return old
    return Ticket(
        incident=new.incident,
        rule=new.rule,
        key=new.incident if old is None else old.key,
        reason=new.reason,
        round=new.round,
        opened=at,
        channels={} if old is None else old.channels,
    )
