"""What the parts of one run share: who, when, under which desired state, and the way to record."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.engine.appliance import Appliance
from reconciler.engine.facts import Facts
from reconciler.engine.intent import Intent
from reconciler.evidence.statement import Kind, Reference, Subject
from reconciler.ledger.store import Receipt

Hook = Callable[[str], None]


@dataclass(slots=True)
class Options:
    """How to run.

    Attributes:
        dry_run: Look and plan; act on nothing and write nothing.
        hook: Called with a name between any two steps; for watchdogs, progress and crash tests.
        stopping: Asked before each action; once true, nothing new is started.
    """

    dry_run: bool = False
    hook: Hook = field(default=lambda _where: None)
    stopping: Callable[[], bool] = field(default=lambda: False)


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

    def append(
        self, kind: Kind, body: Mapping[str, Any], *, closes: Reference | None = None
    ) -> Receipt:
        """Append one signed entry, and follow it: the ledger and what is remembered never differ.

        Raises:
            EvidenceError: It cannot be signed now; nothing was recorded.
            MachineError: It cannot be written; nothing was recorded.
        """
        appliance, desired = self.appliance, self.intent.desired
        receipt = appliance.ledger.append(
            kind,
            body,
            at=appliance.clock.now(),
            boot_id=self.facts.boot_id,
            subject=Subject(desired.commit, desired.digest) if desired else None,
            closes=closes,
        )
        # As recorded: a restart reads the same times, to the millisecond.
        appliance.past.follow(appliance.ledger.tip, receipt.reference)
        return receipt
