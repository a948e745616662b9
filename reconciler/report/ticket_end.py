"""The last message of a ticket: that its incident, or the last one of a digest, has ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.report import ticket_form
from reconciler.report.ticket_form import Section

FORMAT = "reconciler-ticket-end-1"


@dataclass(frozen=True, slots=True)
class Gone:
    """An incident that has ended.

    Attributes:
        incident: Its id.
        fingerprint: What people know it by.
        rule: The rule that failed.
    """

    incident: str
    fingerprint: str
    rule: str


def title(target: str, gone: Sequence[Gone]) -> str:
    """One line: where, and what has ended."""
    what = gone[0].rule if len(gone) == 1 else f"{len(gone)} incidents"
    return ticket_form.plain_line(f"{target}: {what} ended")


def markdown(target: str, gone: Sequence[Gone]) -> str:
    """For a file or an issue."""
    return ticket_form.markdown(title(target, gone), _lead(gone), (_section(gone),))


def text(gone: Sequence[Gone]) -> str:
    """For mail and chat."""
    return ticket_form.text(_lead(gone), (_section(gone),))


def as_document(target: str, gone: Sequence[Gone]) -> dict[str, Any]:
    """For machines."""
    return {
        "format": FORMAT,
        "phase": "closed",
        "title": title(target, gone),
        "target": target,
        "incidents": [
            {"incident": one.incident, "fingerprint": one.fingerprint, "rule": one.rule}
            for one in gone
        ],
    }


def _lead(gone: Sequence[Gone]) -> Sequence[str]:
    if len(gone) == 1:
        return ("The incident has ended: its rule fails no more. Nobody has to act.",)
    return ("The last of these incidents has ended. Nobody has to act.",)


def _section(gone: Sequence[Gone]) -> Section:
    return Section("What has ended", tuple(f"{one.rule} ({one.incident})" for one in gone))
