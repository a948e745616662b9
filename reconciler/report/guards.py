"""Why something does not run and when it will, as text and as JSON."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from reconciler.model.guard_answer import Answer, GuardAnswer
from reconciler.model.incident import Incident
from reconciler.model.verdict import Verdict
from reconciler.report.guard_help import needed, sooner
from reconciler.report.table import clean


def render(found: GuardAnswer) -> str:
    """The answer for a person: what fails, what stops it, what happens next."""
    return "\n".join(_lines(found))


def as_document(found: GuardAnswer) -> dict[str, Any]:
    """The answer for machines; complete."""
    return {
        "target": found.target,
        "asked_at": _iso(found.asked_at),
        "commit": found.commit,
        "run": {
            "seq": found.seq,
            "seen_at": _iso(found.seen_at),
            "confirmed_at": _iso(found.confirmed_at),
            "interval_s": found.interval_s,
        },
        "looked_ahead_s": found.looked_ahead_s,
        "findings": [_body(answer, found.target) for answer in found.answers],
    }


def _lines(found: GuardAnswer) -> Iterator[str]:
    count = len(found.answers)
    seen = f"entry {found.seq}, seen {_short(found.seen_at)}, found again until"
    if not count:
        yield f"{found.target}: nothing fails ({seen} {_short(found.confirmed_at)})"
        return
    fails = "1 rule fails" if count == 1 else f"{count} rules fail"
    yield f"{found.target}: {fails} ({seen} {_short(found.confirmed_at)})"
    for answer in found.answers:
        yield ""
        yield from _answer(answer, found)


def _answer(answer: Answer, found: GuardAnswer) -> Iterator[str]:
    yield f"{answer.rule}  ({answer.severity})"
    if answer.action is not None:
        tier, runbook = answer.action.tier, answer.action.runbook
        yield f"  would run: {runbook}, chosen by {tier}"
    yield f"  when:      {_when(answer, found)}"
    for text in needed(answer, found.target):
        yield f"  do:        {text}"
    if (command := sooner(answer, found.target)) is not None:
        yield f"  sooner:    {command}"
    against = [verdict for verdict in answer.verdicts if verdict.ruling != "allow"]
    for verdict in against:
        yield f"  now:       {_said(verdict, found.asked_at)}"
    if answer.verdicts and not against:
        yield "  now:       every guard allows it"
    if answer.prechecks:
        what = "1 condition is" if answer.prechecks == 1 else f"{answer.prechecks} conditions are"
        yield f"  then:      {what} looked at before the first step"
    if answer.incident is not None:
        yield f"  incident:  {_incident(answer.incident)}"


def _when(answer: Answer, found: GuardAnswer) -> str:
    every = f"runs are {found.interval_s} s apart"
    if answer.unplanned is not None:
        detail = f": {clean(answer.unplanned.detail)}" if answer.unplanned.detail else ""
        return f"never by itself: {answer.unplanned.reason}{detail}"
    if answer.runs_at is None:
        days = found.looked_ahead_s // 86_400
        names = ", ".join(dict.fromkeys(stop.guard for stop in answer.stops))
        return f"not within {days} days, unless somebody does something about: {names}"
    if answer.runs_at <= found.asked_at:
        return f"at the next run ({every})"
    wait = answer.runs_at - found.asked_at
    return f"at the first run after {_short(answer.runs_at)}, in {_span(wait)} ({every})"


def _said(verdict: Verdict, now: datetime) -> str:
    until = ""
    if verdict.retry_after_s is not None:
        then = now + timedelta(seconds=verdict.retry_after_s)
        until = f" (until {_short(then)} at least)"
    return f"{verdict.guard} says {verdict.ruling}: {clean(verdict.reason)}{until}"


def _incident(incident: Incident) -> str:
    return (
        f"{incident.id}, {incident.state.replace('_', ' ')} since {_short(incident.since)} "
        f"({incident.reason})"
    )


def _body(answer: Answer, target: str) -> dict[str, Any]:
    action, left, incident = answer.action, answer.unplanned, answer.incident
    return {
        "rule": answer.rule,
        "check": answer.check,
        "severity": answer.severity,
        "incident": incident
        and {
            "id": incident.id,
            "fingerprint": incident.fingerprint,
            "state": incident.state,
            "since": _iso(incident.since),
            "reason": incident.reason,
        },
        "action": action
        and {
            "id": action.id,
            "tier": action.tier,
            "runbook": action.runbook,
            "runbook_digest": action.runbook_digest,
            "rules": list(action.rules),
        },
        "unplanned": left and {"reason": left.reason, "detail": left.detail},
        "verdicts": [_verdict(verdict) for verdict in answer.verdicts],
        "runs_at": answer.runs_at and _iso(answer.runs_at),
        "stops": [_verdict(verdict) for verdict in answer.stops],
        "do": list(needed(answer, target)),
        "prechecks": answer.prechecks,
    }


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {
        "guard": verdict.guard,
        "ruling": verdict.ruling,
        "reason": verdict.reason,
        "retry_after_s": verdict.retry_after_s,
    }


def _span(wait: timedelta) -> str:
    minutes = -(-wait // timedelta(minutes=1))
    if minutes < 120:
        return f"{minutes} min"
    hours = -(-minutes // 60)
    return f"{hours} h" if hours < 72 else f"{-(-hours // 24)} days"


def _short(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%MZ}"


def _iso(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
