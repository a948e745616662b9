"""What each channel should hear of each open incident, before anybody asks how much fits."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from reconciler.incident.ticket import Delivery, Ticket
from reconciler.incident.ticket_form import Covered
from reconciler.incident.tickets import Tickets
from reconciler.model.incident import Incident, State

CALLING: frozenset[State] = frozenset({"escalated", "awaiting_approval", "quarantined"})
"""States in which an incident is a person's."""

ANEW = timedelta(hours=1)
"""How long a round lasts at least, however often the reason or what differs changes."""

_SEVERITIES = ("critical", "high", "medium", "low")


@dataclass(frozen=True, slots=True)
class ChainStep:
    """One step of an escalation chain.

    Attributes:
        after: How long after the ticket was opened.
        channels: Who is called.
    """

    after: timedelta
    channels: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What a decision is made from.

    Attributes:
        target: ``<client>/<host>``.
        now: Wall time.
        tickets: What people were told.
        incidents: Every open incident by fingerprint.
        acknowledged: Fingerprints that somebody has taken over, as of today.
        chain: Who is called when, in order.
        channels: Those that there are.
    """

    target: str
    now: datetime
    tickets: Tickets
    incidents: Mapping[str, Incident]
    acknowledged: frozenset[str]
    chain: Sequence[ChainStep]
    channels: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Want:
    """What one channel should hear of one incident.

    Attributes:
        covered: The ticket, its round and the step.
        phase: ``opened`` or ``step``.
        key: What receivers know it by.
        rank: The smallest comes first.
        before: What the channel was told, or what was tried.
    """

    covered: Covered
    phase: Literal["opened", "step"]
    key: str
    rank: tuple[int, int, datetime]
    before: Delivery | None


def calling(here: Situation) -> Iterator[tuple[str, Incident]]:
    """Incidents that are a person's."""
    return ((name, one) for name, one in here.incidents.items() if one.state in CALLING)


def wants(here: Situation, channel: str) -> Iterator[Want]:
    """What a channel should hear now of what is open."""
    left = left_behind(here)
    for name, incident in calling(here):
        if name not in here.acknowledged:
            follows = None if name in here.tickets.open else left.get(incident.rule)
            yield from _want(here, channel, incident, follows)


def left_behind(here: Situation) -> dict[str, str]:
    """By rule, the ticket whose incident has ended: another one of the rule goes on with it."""
    ids = {incident.id for incident in here.incidents.values()}
    return {t.rule: name for name, t in here.tickets.open.items() if t.incident not in ids}


def _want(here: Situation, channel: str, incident: Incident, follows: str | None) -> Iterator[Want]:
    ticket = here.tickets.open.get(follows or incident.fingerprint)
    round_ = _round(ticket, incident, here.now)
    if round_ is None:
        return
    fresh = ticket is None or round_ > ticket.round
    step = _step(here, channel, _waited(ticket, incident, here.now, fresh=fresh))
    before = None if ticket is None else ticket.channels.get(channel)
    if step is None or (before and before.told and before.told >= (round_, step)):
        return
    yield Want(
        covered=Covered(
            incident.fingerprint,
            incident.id,
            incident.rule,
            incident.reason,
            round_,
            step,
            follows if fresh else None,
        ),
        phase="opened" if fresh else "step",
        key=incident.id if ticket is None else ticket.key,
        rank=(before.tries if before else 0, _SEVERITIES.index(incident.severity), incident.opened),
        before=before,
    )


def _step(here: Situation, channel: str, waited: timedelta) -> int | None:
    """The last step of the chain that has come and names the channel."""
    come = [
        n for n, one in enumerate(here.chain) if one.after <= waited and channel in one.channels
    ]
    return come[-1] if come else None


def _waited(ticket: Ticket | None, incident: Incident, now: datetime, *, fresh: bool) -> timedelta:
    if ticket is None:
        return now - incident.since
    return timedelta(0) if fresh else now - ticket.opened


def _round(ticket: Ticket | None, incident: Incident, now: datetime) -> int | None:
    """The round that people are asked in; None for not now."""
    if ticket is None:
        return 1
    another = ticket.acknowledged or ticket.incident != incident.id
    if not another and ticket.reason == incident.reason:
        return ticket.round
    if now - ticket.opened >= ANEW:
        return ticket.round + 1
    # Something else about the same rule already: not another message so soon.
    return None if another else ticket.round
