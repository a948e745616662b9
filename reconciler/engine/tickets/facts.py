"""What a ticket is made from: this run, the desired state in force, and the ledger before it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from reconciler.engine.session import Session
from reconciler.evidence.bodies import finding_body
from reconciler.evidence.record import Record
from reconciler.model.desired import DesiredState, PinnedRunbook
from reconciler.model.incident import Incident
from reconciler.model.run import RunReport
from reconciler.model.scrub import scrub
from reconciler.report.approval_file import approval_path, approval_text
from reconciler.report.ticket import Facts, Tried
from reconciler.report.ticket_words import WITH_A_YES

FURTHEST = 500
"""Entries that are looked through for what was tried; the ledger has the rest."""
MOST_TRIED = 10
TERM = timedelta(days=7)
SOMEBODY = "you@example.org"
"""Stands where the principal of whoever approves belongs; the signed commit makes it theirs."""


@dataclass(slots=True)
class History:
    """What was begun on this host, read once a run, however many tickets there are."""

    session: Session
    since: datetime
    _found: list[tuple[Record, Record | None]] | None = field(default=None)

    def tried(self, rule: str) -> tuple[Tried, ...]:
        """What was begun for a rule, oldest first."""
        if self._found is None:
            self._found = _actions(self.session, self.since)
        for_it = [(i, o) for i, o in self._found if rule in i.entry.body["action"]["rules"]]
        return tuple(_tried(intent, outcome) for intent, outcome in for_it[-MOST_TRIED:])


def facts_of(
    session: Session,
    report: RunReport,
    desired: DesiredState,
    incident: Incident,
    phase: str,
    step: int,
    history: History,
) -> Facts:
    """Everything that a ticket says of one incident.

    Args:
        session: The run.
        report: As it was recorded.
        desired: The desired state in force.
        incident: The incident.
        phase: ``opened`` or ``step``.
        step: Number of the step of the chain.
        history: What was begun before.
    """
    finding = next((one for one in report.findings if one.rule == incident.rule), None)
    pinned = _runbook(report, desired, incident)
    tried = history.tried(incident.rule)
    return Facts(
        incident=incident,
        phase=phase,
        step=step,
        finding=None if finding is None else finding_body(finding, session.own),
        tried=tried,
        stopped=_stopped(session, report, incident),
        approval=None if pinned is None else _approval(session, desired, incident, pinned),
        runbook="" if pinned is None else pinned.runbook.id,
        people=2 if pinned is not None and pinned.runbook.risk == "high" else 1,
        evidence=_evidence(session, report, tried),
        fleet=desired.commit,
    )


def _actions(session: Session, since: datetime) -> list[tuple[Record, Record | None]]:
    """Intents since a moment, each with the outcome that closed it, oldest first."""
    outcomes: dict[int, Record] = {}
    found: list[tuple[Record, Record | None]] = []
    for number, record in enumerate(session.appliance.ledger.entries(newest_first=True)):
        entry = record.entry
        if number >= FURTHEST or entry.time < since:
            break
        if entry.closes is not None:
            outcomes[entry.closes.seq] = record
        if entry.kind.value == "intent":
            found.append((record, outcomes.get(entry.seq)))
    return found[::-1]


def _tried(intent: Record, outcome: Record | None) -> Tried:
    action, body = intent.entry.body["action"], {} if outcome is None else outcome.entry.body
    return Tried(
        intent=intent.entry.seq,
        outcome=None if outcome is None else outcome.entry.seq,
        commit=(outcome or intent).commit,
        at=intent.entry.recorded_at,
        tier=action["tier"],
        runbook=action["runbook"],
        result=body.get("result", "open"),
        reason=body.get("reason", ""),
        rollback=body.get("rollback", "none"),
        steps=tuple(map(_step, body.get("steps", ()))),
    )


def _step(step: Mapping[str, Any]) -> str:
    failed = [result for result in step["results"] if not result["ok"]]
    how = f"failed, {failed[0]['reason']}" if failed else "done"
    return f"{step['id']} ({step['kind']}): {how}"


def _stopped(session: Session, report: RunReport, incident: Incident) -> str:
    for left in report.not_done:
        if incident.rule in left.action.rules:
            return f"{left.verdict.guard}: {scrub(left.verdict.reason, session.own)}"
    for unplanned in report.plan.unplanned:
        if unplanned.rule == incident.rule:
            return scrub(unplanned.detail, session.own)
    return ""


def _runbook(report: RunReport, desired: DesiredState, incident: Incident) -> PinnedRunbook | None:
    """The runbook that an approval would let run."""
    if incident.state != "awaiting_approval" and incident.reason not in WITH_A_YES:
        return None
    planned = [one.runbook for one in report.plan.actions if incident.rule in one.rules]
    pinned = desired.runbooks.get(incident.runbook or "".join(planned[:1]))
    known = pinned is not None and pinned.approved and pinned.runbook.mode != "never"
    return pinned if known and desired.plan_digest else None


def _approval(
    session: Session, desired: DesiredState, incident: Incident, pinned: PinnedRunbook
) -> tuple[str, str]:
    # What the scaffolded trust policy asks two people for begins like this.
    high = "high-" if pinned.runbook.risk == "high" else ""
    name = f"{high}incident-{incident.fingerprint[:12]}"
    today = session.facts.at.date()
    return approval_path(desired.client.id, name), approval_text(
        name=name,
        approver=SOMEBODY,
        hosts={desired.host.id: desired.plan_digest},
        runbooks={pinned.runbook.id: pinned.digest},
        reason=f"incident {incident.id}: {incident.rule} on {incident.target}",
        issued_on=today,
        expires=today + TERM,
    )


def _evidence(
    session: Session, report: RunReport, tried: tuple[Tried, ...]
) -> tuple[tuple[int, str, str], ...]:
    acted = [
        (t.intent, "intent", t.commit) if t.outcome is None else (t.outcome, "outcome", t.commit)
        for t in tried
    ]
    if report.seq is not None and report.commit is not None:
        return (*acted, (report.seq, "run", report.commit))
    # A run that waits to be sealed has no entry yet; the one that it repeats has.
    tip = session.appliance.ledger.head.tip
    return (*acted, (tip.entry.seq, tip.entry.kind.value, tip.commit))
