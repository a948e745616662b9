"""The desired state of a run: what is in force, what is refused, what holds it, how new it is."""

from dataclasses import asdict
from typing import Any

from reconciler.model.run import Acceptance, Freshness, Hold, IntentStatus
from reconciler.report import table, trusted_system

_SHOWN = 8


def lines(intent: IntentStatus) -> list[str]:
    """What a person must know of it; nothing if all is well and nothing is new."""
    return [
        *_refused(intent),
        *(line for hold in intent.holds for line in _hold(hold)),
        *_accepted(intent.acceptance),
        *_freshness(intent.freshness),
        *trusted_system.lines(intent.system),
    ]


def summary(intent: IntentStatus) -> str:
    """A few words for one line of a log; empty if all is well."""
    refused = [f"refused: {intent.refused}"] if intent.refused else []
    held = [f"held: {', '.join(hold.reason for hold in intent.holds)}"] if intent.holds else []
    return "; ".join([*held, *refused])


def as_document(intent: IntentStatus) -> dict[str, Any]:
    """JSON values."""
    return {
        "commit": intent.commit,
        "counter": intent.counter,
        "fetched": intent.fetched,
        "refused": intent.refused,
        "refused_commit": intent.refused_commit,
        "message": intent.message,
        "hold": intent.hold,
        "holds": [{**asdict(hold), "since": hold.since.isoformat()} for hold in intent.holds],
        "freshness": None if intent.freshness is None else asdict(intent.freshness),
        "acceptance": _acceptance_document(intent.acceptance),
        "system": trusted_system.as_document(intent.system),
    }


def _acceptance_document(acceptance: Acceptance | None) -> dict[str, Any] | None:
    if acceptance is None:
        return None
    document = asdict(acceptance)
    if acceptance.recovery is not None:
        document["recovery"]["issued"] = acceptance.recovery.issued.isoformat()
    return document


def _refused(intent: IntentStatus) -> list[str]:
    if intent.refused is None:
        return []
    what = "refused" if intent.fetched else "not reached"
    return [
        f"desired state {what} ({intent.refused}): {table.clean(intent.message)}",
        f"  still in force: commit {(intent.commit or 'none')[:12]}",
    ]


def _hold(hold: Hold) -> list[str]:
    """One hold; the whole list of paths is in the JSON form."""
    said = [
        f"HELD ({hold.reason}) since {hold.since:%Y-%m-%d %H:%M} UTC: {table.clean(hold.message)}",
        "  nothing acts on this machine until that is over; it is looked at as ever",
        *(f"  in question: {table.clean(path)}" for path in hold.paths[:_SHOWN]),
    ]
    if len(hold.paths) > _SHOWN:
        said.append(f"  in question: {len(hold.paths) - _SHOWN} more (see --json)")
    return [*said, f"  needed: {hold.hint}"]


def _accepted(acceptance: Acceptance | None) -> list[str]:
    if acceptance is None:
        return []
    signed = f", newest signed by {acceptance.signer}" if acceptance.signer else ""
    people = sorted({who for one in acceptance.agreed for who in one.people})
    approved = f", approved by {', '.join(people)}" if people else ""
    what = f"{acceptance.commits} new commit(s)" if acceptance.commits else "what was pinned"
    said = [f"accepted: {what}{signed}{approved}"]
    if acceptance.recovery is not None:
        by = ", ".join(acceptance.recovery.people)
        said.append(f"  by a recovery that {by} signed, statement {acceptance.recovery.statement}")
    return said


def _freshness(freshness: Freshness | None) -> list[str]:
    """How new it is, where that is promised or known; doctor shows what is absent."""
    if freshness is None or (freshness.limit_s is None and freshness.age_s is None):
        return []
    limit = "no limit" if freshness.limit_s is None else f"limit {freshness.limit_s // 3600} h"
    if freshness.age_s is None:
        return [f"newest heartbeat: none was ever valid ({limit})"]
    minutes = freshness.age_s // 60
    return [f"newest heartbeat: number {freshness.counter}, {minutes} min old ({limit})"]
