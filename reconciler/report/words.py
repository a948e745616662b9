"""What entries say, in words for people. Machines' text is stripped of control characters."""

from collections.abc import Mapping
from typing import Any

from reconciler.report.table import clean, show

LONGEST = 400
GAP = "risk_accepted_noncompliant"
"""Of a ``fail``: the risk is accepted, and the gap stays one. As the finding of a run has it."""

Body = Mapping[str, Any]


def clip(text: str, longest: int = LONGEST) -> str:
    """Text from a machine as one line that ends."""
    line = clean(" ".join(text.split()))
    return line if len(line) <= longest else line[: longest - 1] + "…"


def value(raw: Any) -> str:
    """One observed value."""
    return clip(show(tuple(raw) if isinstance(raw, list) else raw))


def finding(body: Body) -> str:
    """Why a finding is what it is: the fields that failed, or the reason."""
    if body["status"] in {"unknown", "not_applicable"}:
        return clip(body["reason"])
    names = body["failed"] or list(body["expected"])
    parts = [
        f"{clip(name)} is {value(body['observed'].get(name))}, expected {clip(expected)}"
        for name in names
        if (expected := body["expected"].get(name)) is not None
    ]
    return clip("; ".join(parts) + _decided(body))


def gap(record: str) -> str:
    """A failing rule whose risk a client accepted, told so that nobody takes it for covered."""
    return f"a gap, {GAP}: {clip(record)}"


def _decided(body: Body) -> str:
    known = body.get(GAP)
    if isinstance(known, str):
        return f" ({gap(known)})"
    return f" (exception {clip(body['exception'])})" if body["exception"] else ""


def not_done(body: Body) -> str:
    """Which guard did not let an action begin, and why."""
    return clip(f"{body['guard']}: {body['reason']}")
