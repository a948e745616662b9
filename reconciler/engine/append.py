"""The one way in which the engine appends: what waits is sealed first, what is new is followed."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from reconciler.engine.facts import Facts
from reconciler.engine.sealing import seal
from reconciler.evidence.entry import Kind, Reference, Subject
from reconciler.ledger.store import Receipt

if TYPE_CHECKING:
    from reconciler.engine.appliance import Appliance
    from reconciler.engine.session import Hook


def seal_waiting(appliance: "Appliance", facts: Facts, hook: "Hook") -> Receipt | None:
    """Seal the runs that wait; None if none do.

    Raises:
        EvidenceError, MachineError: As `reconciler.engine.sealing.seal`.
    """
    at = appliance.clock.now()
    return seal(appliance.ledger, appliance.past, appliance.queue, facts, at, hook)


def append(
    appliance: "Appliance",
    facts: Facts,
    kind: Kind,
    body: Mapping[str, Any],
    *,
    subject: Subject | None,
    hook: "Hook",
    closes: Reference | None = None,
    at: datetime | None = None,
) -> Receipt:
    """Append one signed entry with a file: the ledger and what is remembered never differ.

    Args:
        appliance: Open.
        facts: The machine's time, under which it may sign.
        kind: What it is about.
        body: What it says.
        subject: The desired state in force.
        hook: Called between steps.
        closes: For an outcome, the intent it closes.
        at: The moment that the body was folded at; now where it does not matter.

    Raises:
        EvidenceError: It cannot be signed now; nothing was recorded.
        MachineError: It cannot be written; nothing was recorded.
    """
    seal_waiting(appliance, facts, hook)
    at = at or appliance.clock.now()
    receipt = appliance.ledger.append(
        kind,
        body,
        at=at,
        clock=facts.reading(at),
        boot_id=facts.boot_id,
        subject=subject,
        closes=closes,
    )
    # As recorded: a restart reads the same times, to the millisecond.
    appliance.past.follow(appliance.ledger.head.tip)
    return receipt


def append_slim(
    appliance: "Appliance",
    facts: Facts,
    kind: Kind,
    body: Mapping[str, Any],
    *,
    subject: Subject | None,
    hook: "Hook",
) -> Receipt | None:
    """Append one signed entry without a file; None where something has changed since the base.

    Raises:
        EvidenceError, MachineError: As `append`.
    """
    seal_waiting(appliance, facts, hook)
    if not appliance.ledger.slim_allowed(subject, facts.boot_id):
        return None
    at = appliance.clock.now()
    receipt = appliance.ledger.append_slim(kind, body, at=at, clock=facts.reading(at))
    appliance.past.follow(appliance.ledger.head.tip)
    return receipt
