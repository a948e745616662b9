"""Incidents and a ledger of ticket entries without a ledger: what was said is folded at once."""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from reconciler.engine.tickets.entries import after_body, before_body, note_body
from reconciler.incident.calls import Call, calls, finished, newly_acknowledged
from reconciler.incident.tickets import Tickets, fold
from reconciler.incident.wants import ChainStep, Situation
from reconciler.model.incident import Incident

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
TARGET = "clinic/frontdesk"


def make_incident(name: str = "time", **changes: Any) -> Incident:
    fingerprint = hashlib.sha256(name.encode()).hexdigest()
    fields: dict[str, Any] = {
        "id": f"{fingerprint[:12]}-1",
        "fingerprint": fingerprint,
        "rule": name,
        "check": "LNX-TIME-001",
        "target": TARGET,
        "source": "check",
        "severity": "medium",
        "controls": ("hipaa:164.312(b)",),
        "state": "escalated",
        "since": NOW,
        "reason": "no-remedy",
        "opened": NOW,
        "occurrence": 1,
        "recurrences": 0,
        "tier": None,
        "runbook": None,
        "asked": 0,
    }
    return Incident(**(fields | changes))


def step(minutes: int, *channels: str) -> ChainStep:
    return ChainStep(timedelta(minutes=minutes), frozenset(channels))


@dataclass
class Office:
    """Runs over a fake clock; which channels are dead, and what is refused, is the test's."""

    incidents: dict[str, Incident]
    channels: Sequence[str] = ("desk",)
    chain: Sequence[ChainStep] = (step(0, "desk"),)
    acknowledged: set[str] = field(default_factory=set)
    dead: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    said: list[dict[str, Any]] = field(default_factory=list)
    now: datetime = NOW
    tickets: Tickets = field(default_factory=Tickets.empty)
    arrived: list[tuple[str, Call]] = field(default_factory=list)
    tried: list[tuple[datetime, str, Call]] = field(default_factory=list)
    per_run: int = 5
    per_hour: int = 20

    def situation(self) -> Situation:
        return Situation(
            target=TARGET,
            now=self.now,
            tickets=self.tickets,
            incidents={one.fingerprint: one for one in self.incidents.values()},
            acknowledged=frozenset(self.acknowledged),
            chain=self.chain,
            channels=frozenset(self.channels),
        )

    def say(self, body: dict[str, Any]) -> None:
        """One entry, as a restart would read it."""
        self.said.append(body)
        self.tickets = fold(self.tickets, "ticket", body, self.now)
        assert Tickets.from_body(self.tickets.to_body()) == self.tickets

    def run(self, *, after_s: int = 300, killed: Collection[str] = ()) -> list[Call]:
        """One run; a channel in ``killed`` gets the message, and nobody writes that down."""
        self.now += timedelta(seconds=after_s)
        made = []
        if noted := newly_acknowledged(self.situation()):
            self.say(note_body("r", "acknowledged", noted))
        for channel in self.channels:
            limits = {"per_run": self.per_run, "per_hour": self.per_hour}
            for call in calls(self.situation(), channel, **limits):
                made.append(call)
                self.tried.append((self.now, channel, call))
                self.say(before_body("r", channel, call))
                if channel in self.dead:
                    self.say(after_body("r", channel, call, "unreachable", None))
                    break
                if call.covers[0].rule in self.refused:
                    self.say(after_body("r", channel, call, "refused", None))
                    continue
                self.arrived.append((channel, call))
                if channel in killed:
                    return made
                self.say(after_body("r", channel, call, None, 7))
        if over := finished(self.situation()):
            self.say(note_body("r", "closed", over))
        return made

    def runs(self, count: int, *, after_s: int = 300) -> list[Call]:
        return [call for _ in range(count) for call in self.run(after_s=after_s)]
