"""Close what a crash left open: after a fresh look, as ``interrupted``, never as success."""

from collections.abc import Mapping
from typing import Any

from reconciler.engine.session import Session
from reconciler.engine.tracking import Tracking
from reconciler.evidence.bodies import outcome_body
from reconciler.evidence.statement import Kind, Reference
from reconciler.model.finding import Finding
from reconciler.model.outcome import Outcome


def close_interrupted(
    session: Session, findings: Mapping[str, Finding], tracking: Tracking
) -> tuple[Outcome, ...]:
    """Append an ``interrupted`` outcome for every intent that has none.

    Nothing is undone and nothing is sent again in this run: the fresh look says what is true now.
    Its incidents go on from there, in the entry that closes the intent.
    """
    closed = []
    # A copy: every outcome that is appended takes its intent off the list.
    for reference, action in tuple(session.appliance.past.open_intents):
        outcome = _interrupted(reference, action, findings)
        tracking.ended(outcome)
        body = outcome_body(session.run, outcome, session.own)
        session.append(Kind.OUTCOME, body, closes=reference)
        closed.append(outcome)
    return tuple(closed)


def _interrupted(
    intent: Reference, action: Mapping[str, Any], findings: Mapping[str, Finding]
) -> Outcome:
    rules = tuple(action["rules"])
    return Outcome(
        action=action["id"],
        runbook=action["runbook"],
        rules=rules,
        result="interrupted",
        reason="the reconciler ended before it recorded an outcome; see the look after it",
        steps=(),
        undone=(),
        rollback="none",
        after={rule: findings[rule] for rule in rules if rule in findings},
        intent=intent.seq,
    )
