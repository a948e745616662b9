"""The incidents of one host as the ledger has them, for a terminal and for machines."""

from collections.abc import Sequence
from typing import Any

from reconciler.evidence.entry import stamp
from reconciler.model.incident import Incident
from reconciler.report.incident_words import line, where, why
from reconciler.report.words import clip

MOST = 8
"""Rules that one line names."""


def render(
    target: str, incidents: Sequence[Incident], ended: Sequence[tuple[str, str, str, str]]
) -> str:
    """One line for each.

    Args:
        target: ``<client>/<host>``.
        incidents: The open ones, in the order to be shown.
        ended: Of those that are over and still remembered: id, rule, state, when.
    """
    lines = [f"{target}: {len(incidents)} open incidents"]
    lines += [f"  {line(one)}" for one in incidents]
    if ended:
        lines.append(f"{len(ended)} ended in the last days:")
        lines += [f"  incident {id_} {rule}: {state} {at}" for id_, rule, state, at in ended]
    return "\n".join(lines)


def brief(incidents: Sequence[Incident]) -> list[str]:
    """One line for each, and one for all that people chose only to observe."""
    observed = [one for one in incidents if (one.state, one.reason) == ("waiting", "mode")]
    lines = [line(one) for one in incidents if one not in observed]
    if len(observed) == 1:
        return [*lines, line(observed[0])]
    if observed:
        rules = ", ".join(clip(one.rule) for one in observed[:MOST])
        more = ", …" if len(observed) > MOST else ""
        which = f"{rules}{more} (reconciler incidents)"
        lines.append(f"{len(observed)} incidents are {why('mode')}: {which}")
    return lines


def as_document(one: Incident) -> dict[str, Any]:
    """An open incident for machines."""
    return {
        "id": one.id,
        "fingerprint": one.fingerprint,
        "rule": one.rule,
        "check": one.check,
        "source": one.source,
        "severity": one.severity,
        "controls": list(one.controls),
        "state": one.state,
        "reason": one.reason,
        "words": where(one.state, one.reason),
        "since": stamp(one.since),
        "until": None if one.until is None else stamp(one.until),
        "opened": stamp(one.opened),
        "occurrence": one.occurrence,
        "recurrences": one.recurrences,
        "tier": one.tier,
        "runbook": one.runbook,
        "asked": one.asked,
    }
