"""One run, for a terminal and for machines."""

from dataclasses import asdict
from typing import Any

from reconciler.evidence.bodies import finding_body, not_done_body, plan_body
from reconciler.model.run import RunReport
from reconciler.report import incident_list, intent, table, trusted_system


def render(report: RunReport, *, width: int = 160, colour: bool = False) -> str:
    """The table of findings, what was done, what is left, and where to look next."""
    parts = [table.render(report.findings, width=width, colour=colour), ""]
    parts += _reasons(report)
    parts += _gaps(report)
    parts += intent.lines(report.intent)
    parts += [] if report.recorded else trusted_system.planned(report.intent.system)
    parts += _notices(report)
    parts += [f"{report.target} ({report.mode}): {table.summary(report.findings)}"]
    parts += ["loaded: " + ", ".join(f"{count} {kind}" for kind, count in report.census.items())]
    parts += _acts(report)
    parts += incident_list.brief(report.incidents) if report.recorded else []
    parts += _evidence(report)
    return "\n".join(parts)


def _reasons(report: RunReport) -> list[str]:
    """Every reason why something is unknown, whole: the table has no room for it."""
    rules: dict[str, list[str]] = {}
    for finding in report.findings:
        if finding.status == "unknown":
            rules.setdefault(table.clean(finding.reason), []).append(finding.rule)
    if not rules:
        return []
    lines = ["unknown, and why:"]
    for reason, names in sorted(rules.items(), key=lambda item: item[1]):
        lines += [f"  {reason}", f"    {', '.join(names)}"]
    return [*lines, ""]


def _gaps(report: RunReport) -> list[str]:
    """Gaps that a client knows of; nobody may take them for exceptions."""
    known = [finding for finding in report.findings if finding.risk_accepted is not None]
    if not known:
        return []
    lines = ["known gaps (risk_accepted_noncompliant), which nothing covers:"]
    lines += [
        f"  {finding.rule}: {table.clean(str(finding.risk_accepted))}: "
        f"{table.clean(finding.reason)}"
        for finding in known
    ]
    return [*lines, ""]


def _notices(report: RunReport) -> list[str]:
    """What people decided and what ends soon, or has."""
    return [f"notice: {table.clean(notice)}" for notice in report.notices]


def _acts(report: RunReport) -> list[str]:
    lines = [
        f"{outcome.runbook} {outcome.result}: {outcome.reason or 'the second look says so'}"
        for outcome in (*report.interrupted, *report.outcomes)
    ]
    for left in report.not_done:
        wait = left.verdict.retry_after_s
        again = f" (again in {wait} s)" if wait is not None else ""
        lines.append(
            f"{left.action.runbook} {left.result} by {left.verdict.guard}: "
            f"{left.verdict.reason}{again}"
        )
    if not report.recorded:
        lines += [
            f"would run {action.runbook} for {', '.join(action.rules)}, if every guard allows it"
            for action in report.plan.actions
        ]
    return lines


def _evidence(report: RunReport) -> list[str]:
    if not report.recorded:
        return ["dry run: nothing was changed and nothing was written"]
    commit = (report.commit or "")[:12]
    where = f"entry {report.seq}, signed commit {commit} on branch {report.target}"
    lines = [f"evidence: {_waits(report) or where}"]
    for problem in report.problems:
        lines += [f"upkeep: {table.clean(str(problem))}", f"  hint: {problem.hint}"]
    return lines


def _waits(report: RunReport) -> str | None:
    """Where a run is that has no entry yet."""
    if report.waits_s is None:
        return None
    return f"on the disk, sealed within {-(-report.waits_s // 60)} min"


def one_line(report: RunReport) -> str:
    """One line for a log."""
    done = ", ".join(f"{o.runbook} {o.result}" for o in report.outcomes) or "nothing done"
    where = _waits(report) or f"entry {report.seq}"
    said = intent.summary(report.intent)
    return f"{report.target} {where}: {table.summary(report.findings)}; {done}" + (
        f"; {said}" if said else ""
    )


def as_document(report: RunReport) -> dict[str, Any]:
    """The whole run as one JSON document."""
    return {
        "run": report.run,
        "target": report.target,
        "mode": report.mode,
        "exit_code": int(report.exit_code),
        "desired": intent.as_document(report.intent),
        "census": dict(report.census),
        "counts": table.tally(report.findings),
        "before": [finding_body(finding, report.own) for finding in report.before],
        "findings": [finding_body(finding, report.own) for finding in report.findings],
        "plan": plan_body(report.plan),
        "outcomes": [
            {
                "action": o.action,
                "runbook": o.runbook,
                "rules": list(o.rules),
                "result": o.result,
                "reason": o.reason,
                "rollback": o.rollback,
            }
            for o in (*report.interrupted, *report.outcomes)
        ],
        "not_done": [not_done_body(left, report.own) for left in report.not_done],
        "incidents": [incident_list.as_document(one) for one in report.incidents],
        "evidence": {
            "seq": report.seq,
            "commit": report.commit,
            "sealed_within_s": report.waits_s,
        },
        "upkeep": [asdict(problem) for problem in report.problems],
        "notices": list(report.notices),
    }
