"""What the parts of one run share: who, when, under which desired state, and the way to record."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from reconciler.engine.append import append, append_slim
from reconciler.engine.appliance import Appliance
from reconciler.engine.facts import Facts
from reconciler.engine.trusted.intent import Intent
from reconciler.evidence.entry import Kind, Reference, Subject
from reconciler.incident.register import CARRIERS
from reconciler.incident.transition import Transition
from reconciler.ledger.store import Receipt
from reconciler.model.own_words import own_words
from reconciler.model.quotable import Own

Hook = Callable[[str], None]


@dataclass(slots=True)
class Options:
    """How to run.

    Attributes:
        dry_run: Look and plan; act on nothing and write nothing.
        hook: Called with a name between any two steps; for watchdogs, progress and crash tests.
        stopping: Asked before each action; once true, nothing new is started.
        promise_s: Within how many seconds the next run follows; None if nobody promises one.
        seal_s: How many seconds unchanged runs may wait to be sealed together; 0 signs each run
            for itself. Whoever sets it seals what waits when it ends (`append.seal_waiting`).
        allowing: Around work that has so many seconds by its own limit; for watchdogs.
    """

    dry_run: bool = False
    hook: Hook = field(default=lambda _where: None)
    stopping: Callable[[], bool] = field(default=lambda: False)
    promise_s: int | None = None
    seal_s: int = 0
    allowing: Callable[[float], AbstractContextManager[None]] = field(
        default=lambda _seconds: nullcontext()
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One run.

    Attributes:
        run: Random id, 32 hex digits.
        facts: The machine's time at the start.
        moves: What happened to incidents and stands in no entry yet; see `engine.tracking`.
    """

    appliance: Appliance
    run: str
    facts: Facts
    intent: Intent
    options: Options
    moves: list[Transition] = field(default_factory=list)

    @property
    def subject(self) -> Subject | None:
        """The desired state that this run is under."""
        desired = self.intent.desired
        return Subject(desired.commit, desired.digest) if desired else None

    @property
    def own(self) -> Own:
        """What the desired state and the settings say, and evidence may therefore say again."""
        return own_words(self.intent.desired, [self.appliance.home.settings.fleet.url])

    def append(
        self,
        kind: Kind,
        body: Mapping[str, Any],
        *,
        closes: Reference | None = None,
        at: datetime | None = None,
    ) -> Receipt:
        """Append one signed entry, and follow it; what waits to be sealed is sealed first.

        What happened to incidents rides in the first entry that can carry it: nothing is done
        because of a transition that is not on the disk.

        Args:
            kind: What it is about.
            body: What it says.
            closes: For an outcome, the intent it closes.
            at: The moment that the body was folded at; now where it does not matter.

        Raises:
            EvidenceError: It cannot be signed now; nothing was recorded.
            MachineError: It cannot be written; nothing was recorded.
        """
        riding = tuple(self.moves) if kind.value in CARRIERS else ()
        incidents = {"incidents": [move.to_body() for move in riding]} if riding else {}
        receipt = append(
            self.appliance,
            self.facts,
            kind,
            {**body, **incidents},
            subject=self.subject,
            hook=self.options.hook,
            closes=closes,
            at=at,
        )
        del self.moves[: len(riding)]
        return receipt

    def append_slim(self, kind: Kind, body: Mapping[str, Any]) -> Receipt | None:
        """Append one signed entry without a file; None where something has changed since the base.

        Raises:
            EvidenceError, MachineError: As `append`.
        """
        return append_slim(
            self.appliance, self.facts, kind, body, subject=self.subject, hook=self.options.hook
        )
