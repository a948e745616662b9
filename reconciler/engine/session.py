"""What the parts of one run share: who, when, under which desired state, and the way to record."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.engine.appliance import Appliance
from reconciler.engine.facts import Facts
from reconciler.engine.intent import Intent
from reconciler.evidence.entry import Kind, Reference, Subject
from reconciler.ledger.store import Receipt

Hook = Callable[[str], None]


@dataclass(slots=True)
class Options:
    """How to run.

    Attributes:
        dry_run: Look and plan; act on nothing and write nothing.
        hook: Called with a name between any two steps; for watchdogs, progress and crash tests.
        stopping: Asked before each action; once true, nothing new is started.
        promise_s: Within how many seconds the next run follows; None if nobody promises one.
    """

    dry_run: bool = False
    hook: Hook = field(default=lambda _where: None)
    stopping: Callable[[], bool] = field(default=lambda: False)
    promise_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One run.

    Attributes:
        run: Random id, 32 hex digits.
        facts: The machine's time at the start.
    """

    appliance: Appliance
    run: str
    facts: Facts
    intent: Intent
    options: Options

    @property
    def subject(self) -> Subject | None:
        """The desired state that this run is under."""
        desired = self.intent.desired
        return Subject(desired.commit, desired.digest) if desired else None

    def append(
        self, kind: Kind, body: Mapping[str, Any], *, closes: Reference | None = None
    ) -> Receipt:
        """Append one signed entry, and follow it: the ledger and what is remembered never differ.

        Raises:
            EvidenceError: It cannot be signed now; nothing was recorded.
            MachineError: It cannot be written; nothing was recorded.
        """
        appliance, at = self.appliance, self.appliance.clock.now()
        receipt = appliance.ledger.append(
            kind,
            body,
            at=at,
            clock=self.facts.reading(at),
            boot_id=self.facts.boot_id,
            subject=self.subject,
            closes=closes,
        )
        # As recorded: a restart reads the same times, to the millisecond.
        appliance.past.follow(appliance.ledger.tip, receipt.reference)
        return receipt

    def append_slim(self, kind: Kind, body: Mapping[str, Any]) -> Receipt | None:
        """Append one signed entry without a file; None where something has changed since the base.

        Raises:
            EvidenceError, MachineError: As `append`.
        """
        appliance, at = self.appliance, self.appliance.clock.now()
        if not appliance.ledger.slim_allowed(self.subject, self.facts.boot_id):
            return None
        receipt = appliance.ledger.append_slim(kind, body, at=at, clock=self.facts.reading(at))
        appliance.past.follow(appliance.ledger.tip, receipt.reference)
        return receipt
