"""A file for ``acknowledgements/``: somebody has an incident in hand, until a day."""

from datetime import date, datetime

from reconciler.report.approval_file import quoted


def acknowledgement_path(client: str, fingerprint: str) -> str:
    """Where it belongs: one file a fault, so that a second one renews the first."""
    return f"acknowledgements/{client}/{_name(fingerprint)}.yaml"


def acknowledgement_text(
    *, fingerprint: str, by: str, until: date, looked_at: datetime, note: str | None = None
) -> str:
    """The file.

    Args:
        fingerprint: The incident's.
        by: Principal of who takes it over.
        until: Last day on which nobody else is called.
        looked_at: Now, UTC: a host that was closed before is opened.
        note: What they want others to know.
    """
    lines = [
        f"id: {_name(fingerprint)}",
        f"incident: {quoted(fingerprint)}",
        f"by: {quoted(by)}",
        f"until: {until}",
        f"looked_at: {quoted(f'{looked_at:%Y-%m-%dT%H:%M:%SZ}')}",
        *([] if note is None else [f"note: {quoted(note)}"]),
    ]
    return "\n".join(lines) + "\n"


def _name(fingerprint: str) -> str:
    return f"incident-{fingerprint[:12]}"
