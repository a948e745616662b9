"""Tickets whose incident has ended, and who has to be told so."""

from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.incident.ticket import Delivery, Ticket
from reconciler.incident.wants import Situation, calling

MOST_GOODBYES = 5
"""Tries to say that an incident has ended; the ledger says it anyhow."""


@dataclass(frozen=True, slots=True)
class Ended:
    """What has ended.

    Attributes:
        tickets: By fingerprint: no open incident stands behind them, nor another one of the same
            rule that people are asked about.
        held: Channel and key of what is still about something open.
    """

    tickets: Mapping[str, Ticket]
    held: frozenset[tuple[str, str]]

    @classmethod
    def of(cls, here: Situation) -> "Ended":
        """What has ended in a situation."""
        ids = {incident.id for incident in here.incidents.values()}
        rules = {incident.rule for _, incident in calling(here)}
        gone, held = {}, set()
        for name, ticket in here.tickets.open.items():
            if ticket.incident in ids or ticket.rule in rules:
                held |= {(channel, one.key) for channel, one in ticket.channels.items()}
            else:
                gone[name] = ticket
        return cls(gone, frozenset(held))

    def due(self, channel: str, ticket: Ticket) -> Delivery | None:
        """What a channel knows of something that has ended, and not yet that it has."""
        delivery = ticket.channels.get(channel)
        if delivery is None or delivery.told is None or delivery.told_the_end:
            return None
        if delivery.saying_goodbye and delivery.tries >= MOST_GOODBYES:
            return None
        # A digest has ended when the last thing in it has.
        return None if (channel, delivery.key) in self.held else delivery
