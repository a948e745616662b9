"""What a rule or a control is, how it stands, since when, and which evidence shows it."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from reconciler.checks import catalogue
from reconciler.desired.fleet import Fleet, read_fleet
from reconciler.desired.suggest import did_you_mean
from reconciler.engine.appliance import fleet_source, read_ledger
from reconciler.engine.clock import SystemClock
from reconciler.engine.settings import Home
from reconciler.errors import InputError, LedgerMissing
from reconciler.evidence.layout import entry_path
from reconciler.evidence.record import Record
from reconciler.evidence.statement import Kind
from reconciler.model.exemption import PolicyException
from reconciler.model.explanation import Explanation, Standing
from reconciler.model.proposed import is_proposed
from reconciler.ports import Clock


def explain(home: Home, subject: str, *, clock: Clock | None = None) -> Explanation:
    """Explain a rule (``ssh-root-login``, ``certificate-valid[portal]``) or a control.

    Args:
        home: Settings of the appliance.
        subject: A rule id, a check id, or a control with or without its framework:
            ``hipaa:164.312(b)`` or ``164.312(b)``.
        clock: Another clock, for tests; says which decisions end soon.

    Raises:
        InputError: There is no such rule or control; names the nearest.
        LedgerMissing: There has not been a run yet.
    """
    record, newest = newest_run(home)
    body = record.entry.body
    today = (clock or SystemClock()).now().date()
    fleet = read_fleet(fleet_source(home).read_files(body["intent"]["accepted"]["commit"]))
    findings = {finding["rule"]: finding for finding in body["findings"]}
    what, details, chosen = _subject(subject, fleet, findings, home.settings.client)
    return Explanation(
        subject=subject,
        what=what,
        details=details,
        standings=tuple(_standing(finding, fleet, body, home, today) for finding in chosen),
        seq=record.entry.seq,
        commit=record.commit,
        path=entry_path(record.entry),
        recorded_at=record.entry.recorded_at,
        last_seq=newest.entry.seq,
        last_at=newest.entry.recorded_at,
    )


def newest_run(home: Home) -> tuple[Record, Record]:
    """The newest run that has findings, and the newest of all, which repeats it."""
    newest: Record | None = None
    for record in read_ledger(home):
        if record.entry.kind is Kind.RUN:
            newest = newest or record
            if not record.entry.slim:
                return record, newest
    raise LedgerMissing(
        "there has not been a run yet, so there is nothing to explain",
        hint="Run first: reconciler run --once",
    )


Finding = Mapping[str, Any]


def _subject(
    subject: str, fleet: Fleet, findings: Mapping[str, Finding], client: str
) -> tuple[str, dict[str, str], list[Finding]]:
    chosen = [
        f for rule, f in findings.items() if subject in {rule, rule.split("[")[0], f["check"]}
    ]
    if chosen:
        check = catalogue.load()[chosen[0]["check"]]
        return check.title, {"source": check.source}, chosen
    # A control without its framework is the one in force before the one that is proposed.
    controls = dict(sorted(fleet.controls_of(client).items(), key=lambda c: is_proposed(c[0])))
    name = next((c for c in controls if subject in {c, c.split(":", 1)[1]}), None)
    if name is None:
        raise InputError(
            f"there is no rule, check or control {subject!r} on this host",
            hint=did_you_mean(subject, [*findings, *controls]),
        )
    control = controls[name]
    details = {
        "control": name,
        "kind": f"{control.kind}, {control.requirement}, {control.safeguard}",
        "evidence": {
            "tested": "tested: a machine check decides",
            "supported": "supported: machine facts help a person decide",
            "attested": "attested: a person's word; no machine check can decide it",
        }[control.evidence],
    }
    if is_proposed(name):
        details["status"] = "proposed, no law: nothing is owed or satisfied; a look ahead"
    return control.title, details, [f for f in findings.values() if name in f["controls"]]


def _standing(
    finding: Finding, fleet: Fleet, body: Mapping[str, Any], home: Home, today: date
) -> Standing:
    rule = fleet.rules[finding["rule"].split("[")[0]]
    client, host = home.settings.client, home.settings.host
    decided = [
        exception
        for key, exception in sorted(fleet.exceptions.items())
        if key.split("/", 1)[0] == client and host in exception.hosts and rule.id in exception.rules
    ]
    modes = {rule.mode, fleet.clients[client].mode, fleet.hosts[f"{client}/{host}"].mode}
    heals = "heal" in fleet.tiers[fleet.clients[client].tier].features
    return Standing(
        finding=finding,
        title=rule.title,
        note=rule.note or "",
        remedy=rule.remedy.runbook if rule.remedy else None,
        mode="enforce" if modes == {"enforce"} and heals else "observe",
        since=body["since"].get(finding["rule"], {}),
        decisions=tuple(_decision(exception, today) for exception in decided),
    )


def _decision(exception: PolicyException, today: date) -> str:
    what = "exception" if exception.status == "excepted" else exception.status
    term = exception.term.words(today) or f"ends on {exception.review_by}"
    return f"{what} {exception.id} for {exception.control} {term}; decided by {exception.approver}"
