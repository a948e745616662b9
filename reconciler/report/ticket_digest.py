"""One message about many incidents: a storm, with every incident named."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reconciler.model.incident import Incident
from reconciler.report import ticket_form, ticket_words
from reconciler.report.ticket_form import MOST, Section

FORMAT = "reconciler-ticket-digest-1"
_ROOM = MOST - 4_000
_ORDER = ("critical", "high", "medium", "low")


_LEAD = (
    "More incidents came than this channel takes in an hour, so they are in one message.",
    "Something common is likely behind them. All of them:",
)


def title(target: str, count: int) -> str:
    """One line: where, how many, and that people are asked."""
    return ticket_form.plain_line(f"{target}: {count} incidents need a person")


def markdown(target: str, incidents: Sequence[Incident]) -> str:
    """For a file or an issue."""
    return ticket_form.markdown(title(target, len(incidents)), _LEAD, _sections(incidents))


def text(incidents: Sequence[Incident]) -> str:
    """For mail and chat."""
    return ticket_form.text(_LEAD, _sections(incidents))


def as_document(target: str, phase: str, incidents: Sequence[Incident]) -> dict[str, Any]:
    """For machines."""
    return {
        "format": FORMAT,
        "phase": phase,
        "title": title(target, len(incidents)),
        "target": target,
        "incidents": [
            {
                "incident": one.id,
                "fingerprint": one.fingerprint,
                "rule": one.rule,
                "severity": one.severity,
                "state": one.state,
                "reason": one.reason,
            }
            for one in incidents
        ],
    }


def _sections(incidents: Sequence[Incident]) -> Sequence[Section]:
    """Named in as many words as there is room for; named in any case."""
    lines: tuple[str, ...] = ()
    for said in (_in_full, _by_reason, _ids):
        lines = tuple(said(incidents))
        if sum(len(line.encode()) + 1 for line in lines) <= _ROOM:
            break
    commands = (
        "# on the appliance: why what does not run, and when it will",
        "reconciler guard explain",
        "# in the fleet repository, for each that you take over",
        "reconciler acknowledge INCIDENT --as you@example.org",
    )
    return (
        Section("Incidents", lines, exact=True),
        Section("What you can do", commands, exact=True),
    )


def _sorted(incidents: Sequence[Incident]) -> Sequence[Incident]:
    return sorted(incidents, key=lambda one: (_ORDER.index(one.severity), one.rule, one.id))


def _in_full(incidents: Sequence[Incident]) -> Iterator[str]:
    for one in _sorted(incidents):
        yield ticket_form.plain_line(f"{one.severity:<8} {one.rule}: {one.reason} ({one.id})")


def _by_reason(incidents: Sequence[Incident]) -> Iterator[str]:
    for reason, group in _groups(incidents).items():
        yield f"{reason}: {ticket_words.why(reason)}"
        yield from (ticket_form.plain_line(f"  {one.rule}") for one in _sorted(group))


def _ids(incidents: Sequence[Incident]) -> Iterator[str]:
    yield from (one.id for one in _sorted(incidents))


def _groups(incidents: Sequence[Incident]) -> Mapping[str, list[Incident]]:
    groups: dict[str, list[Incident]] = {}
    for one in incidents:
        groups.setdefault(one.reason, []).append(one)
    return groups
