"""One incident: a finding that fails, from the first sighting to its end.

The states and what may follow what stand in `NEXT`; there is no other way through. Every transition
is written into an entry of the ledger before anything is done because of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from reconciler.model.finding import Severity

State = Literal[
    "detected",
    "confirmed",
    "planned",
    "awaiting_approval",
    "waiting",
    "admitted",
    "precheck",
    "executing",
    "verifying",
    "soak",
    "closed",
    "rolling_back",
    "rolled_back",
    "cooldown",
    "escalated",
    "quarantined",
    "resolved_itself",
]

ENDED: frozenset[State] = frozenset({"closed", "resolved_itself"})
"""States that nothing follows: the incident is over."""

NEXT: Mapping[State, frozenset[State]] = {
    "detected": frozenset({"confirmed", "resolved_itself"}),
    "confirmed": frozenset({"planned", "escalated", "resolved_itself"}),
    "planned": frozenset(
        {"admitted", "awaiting_approval", "waiting", "escalated", "resolved_itself"}
    ),
    "awaiting_approval": frozenset({"planned", "escalated", "resolved_itself"}),
    "waiting": frozenset({"planned", "escalated", "resolved_itself"}),
    "admitted": frozenset({"precheck", "waiting"}),
    "precheck": frozenset({"executing", "waiting", "escalated", "resolved_itself"}),
    "executing": frozenset({"verifying", "rolling_back"}),
    "verifying": frozenset({"soak", "rolling_back", "cooldown", "quarantined"}),
    "rolling_back": frozenset({"rolled_back", "quarantined"}),
    "rolled_back": frozenset({"cooldown", "escalated", "resolved_itself"}),
    "cooldown": frozenset({"planned", "escalated", "resolved_itself"}),
    "soak": frozenset({"closed", "confirmed", "escalated"}),
    "escalated": frozenset({"planned", "resolved_itself"}),
    "quarantined": frozenset({"escalated", "resolved_itself"}),
    "closed": frozenset(),
    "resolved_itself": frozenset(),
}
"""What may follow each state."""

Source = Literal["check", "journal", "pressure"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One incident.

    Attributes:
        id: ``<first 12 hex digits of the fingerprint>-<occurrence>``; unique in a ledger.
        fingerprint: Hex SHA-256 over client, host, check, rule and what differs, in normal form:
            the same fault has the same one, however often it comes back.
        rule: Bound rule that failed.
        check: Its check.
        target: ``<client>/<host>``.
        source: What saw it.
        severity: The rule's.
        controls: ``<framework>:<control>`` ids.
        state: Where it is.
        since: When it came into that state.
        reason: Why it is there: a stable code, such as the name of a guard.
        opened: Since when its rule has been seen to fail without a break.
        occurrence: Grows with every incident of this fingerprint; 1 for the first in a ledger that
            has not forgotten any.
        recurrences: How often a verified fix of it did not hold.
        tier: Who chose what to do; ``None`` before that.
        runbook: What was chosen; ``None`` before that.
        asked: Questions put to a language model about it.
        until: When time alone ends what it waits for: a soak, an approval's term, a deferral;
            ``None`` where time ends nothing.
    """

    id: str
    fingerprint: str
    rule: str
    check: str
    target: str
    source: Source
    severity: Severity
    controls: tuple[str, ...]
    state: State
    since: datetime
    reason: str
    opened: datetime
    occurrence: int
    recurrences: int
    tier: Literal["L1", "L2", "L3"] | None
    runbook: str | None
    asked: int
    until: datetime | None = None
