"""What ``reconciler tickets`` does: read tickets from the ledger, and try a channel."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from reconciler.engine.appliance import read_ledger
from reconciler.engine.past import recall_from
from reconciler.engine.settings import Home
from reconciler.engine.tickets.channels import open_channel
from reconciler.errors import InputError
from reconciler.escalate.github import GitHub
from reconciler.escalate.message import Message, Result
from reconciler.escalate.post import post
from reconciler.evidence import canonical
from reconciler.evidence.entry import Kind, stamp
from reconciler.incident.ticket import Delivery, Ticket
from reconciler.incident.tickets import Tickets

FURTHEST = 5000
"""Entries that are looked through for one ticket."""

_TEST = (
    "This is a test of a channel. Nothing is wrong, and nobody has to do anything.",
    "If it arrived where people will see it at night, the channel works.",
)


def open_tickets(home: Home) -> dict[str, Any]:
    """Every open ticket and every channel, as the ledger remembers them.

    Raises:
        InputError, EvidenceError: The ledger cannot be read, or does not verify.
    """
    tickets = recall_from(read_ledger(home)).tickets
    return {
        "tickets": [_document(name, one) for name, one in tickets.open.items()],
        "channels": [
            {"name": name, "failures": line.failures, "at": stamp(line.at)}
            for name, line in tickets.lines.items()
        ],
    }


def named(tickets: Tickets | Mapping[str, Ticket], text: str) -> tuple[str, Ticket]:
    """The one open ticket that a text names: an incident's id, or the beginning of a fingerprint.

    Raises:
        InputError: None is called so, or several are.
    """
    open_ = tickets.open if isinstance(tickets, Tickets) else tickets
    found = [
        (name, one)
        for name, one in open_.items()
        if text in {one.incident, one.key} or (len(text) >= 8 and name.startswith(text))
    ]
    if len(found) != 1:
        message = f"{len(found) or 'no'} open tickets are called {text[:64]}"
        raise InputError(message, hint="See them: reconciler tickets list")
    return found[0]


def ticket_entries(home: Home) -> Iterator[tuple[int, str, Mapping[str, Any]]]:
    """Ticket entries, the newest first, as far back as is reasonable."""
    for number, record in enumerate(read_ledger(home)):
        if number >= FURTHEST:
            return
        if record.entry.kind is Kind.TICKET:
            yield record.entry.seq, record.entry.recorded_at, record.entry.body


def one_ticket(home: Home, text: str) -> tuple[dict[str, Any], frozenset[str]]:
    """One open ticket, and the names that entries know it by.

    Raises:
        InputError, EvidenceError: As `open_tickets` and `named`.
    """
    name, ticket = named(recall_from(read_ledger(home)).tickets, text)
    return _document(name, ticket), frozenset({name, ticket.incident, ticket.key})


def try_channel(home: Home, name: str, now: datetime) -> Result:
    """Send a harmless message; it is about no incident, so it is no evidence.

    Args:
        home: Settings that name the channel.
        name: Which.
        now: Wall time.

    Raises:
        InputError, MachineError: The channel cannot be used.
    """
    channel = open_channel(home, name)
    target = f"{home.settings.client}/{home.settings.host}"
    at = int(now.timestamp())
    message = _message(target, "opened", canonical.digest([target, name, at]), at)
    result = post(channel, message)
    if isinstance(channel.way, GitHub) and not hasattr(result, "code"):
        # An issue that nobody has to do anything about does not stay open.
        ended = canonical.digest([target, name, at, "closed"])
        return post(channel, _message(target, "closed", ended, at))
    return result


def _message(target: str, phase: Any, id_: str, at: int) -> Message:
    title = f"{target}: a test of this channel"
    text = "\n".join(_TEST)
    return Message(
        id=id_,
        key="test",
        phase=phase,
        target=target,
        title=title,
        markdown=f"# {title}\n\n{text}\n",
        text=f"{text}\n",
        document={"format": "reconciler-ticket-test-1", "phase": phase, "target": target},
        at=at,
    )


def _document(fingerprint: str, ticket: Ticket) -> dict[str, Any]:
    return {
        "fingerprint": fingerprint,
        "incident": ticket.incident,
        "rule": ticket.rule,
        "reason": ticket.reason,
        "round": ticket.round,
        "opened": stamp(ticket.opened),
        "acknowledged": ticket.acknowledged,
        "channels": [_channel(name, one) for name, one in ticket.channels.items()],
    }


def _channel(name: str, delivery: Delivery) -> dict[str, Any]:
    step = delivery.aim[1] if delivery.told is None else delivery.told[1]
    return {
        "name": name,
        "key": delivery.key,
        "step": step,
        "ended": delivery.told_the_end,
        "tries": delivery.tries,
        "at": stamp(delivery.at),
        "reference": delivery.reference,
    }
