"""What a rule or a control is, how it stands, since when, and which evidence shows it."""

from collections.abc import Mapping
from typing import Any

from reconciler.checks import catalogue
from reconciler.desired.fleet import Fleet, read_fleet
from reconciler.desired.suggest import did_you_mean
from reconciler.engine.appliance import fleet_source, read_ledger
from reconciler.engine.settings import Home
from reconciler.errors import InputError, LedgerMissing
from reconciler.evidence.layout import entry_path
from reconciler.evidence.record import Record
from reconciler.evidence.statement import Kind
from reconciler.model.explanation import Explanation, Standing


def explain(home: Home, subject: str) -> Explanation:
    """Explain a rule (``ssh-root-login``, ``certificate-valid[portal]``) or a control.

    Args:
        home: Settings of the appliance.
        subject: A rule id, a check id, or a control with or without its framework:
            ``hipaa:164.312(b)`` or ``164.312(b)``.

    Raises:
        InputError: There is no such rule or control; names the nearest.
        LedgerMissing: There has not been a run yet.
    """
    record, newest = _newest_run(home)
    body = record.entry.body
    fleet = read_fleet(fleet_source(home).read_files(body["intent"]["accepted"]["commit"]))
    findings = {finding["rule"]: finding for finding in body["findings"]}
    what, details, chosen = _subject(subject, fleet, findings)
    return Explanation(
        subject=subject,
        what=what,
        details=details,
        standings=tuple(_standing(finding, fleet, body, home) for finding in chosen),
        seq=record.entry.seq,
        commit=record.commit,
        path=entry_path(record.entry),
        recorded_at=record.entry.recorded_at,
        last_seq=newest.entry.seq,
        last_at=newest.entry.recorded_at,
    )


def _newest_run(home: Home) -> tuple[Record, Record]:
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
    subject: str, fleet: Fleet, findings: Mapping[str, Finding]
) -> tuple[str, dict[str, str], list[Finding]]:
    chosen = [
        f for rule, f in findings.items() if subject in {rule, rule.split("[")[0], f["check"]}
    ]
    if chosen:
        check = catalogue.load()[chosen[0]["check"]]
        return check.title, {"source": check.source}, chosen
    controls = fleet.controls()
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
    return control.title, details, [f for f in findings.values() if name in f["controls"]]


def _standing(finding: Finding, fleet: Fleet, body: Mapping[str, Any], home: Home) -> Standing:
    rule = fleet.rules[finding["rule"].split("[")[0]]
    client, host = home.settings.client, home.settings.host
    modes = {rule.mode, fleet.clients[client].mode, fleet.hosts[f"{client}/{host}"].mode}
    return Standing(
        finding=finding,
        title=rule.title,
        note=rule.note or "",
        remedy=rule.remedy.runbook if rule.remedy else None,
        mode="enforce" if modes == {"enforce"} else "observe",
        since=body["since"].get(finding["rule"], {}),
    )
