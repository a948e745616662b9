"""Sightings for tests of incidents."""

import hashlib

from reconciler.incident.fingerprint import Sighting
from reconciler.model.finding import Status
from reconciler.model.incident import State

RULES = ("time", "ssh", "disk")
FAULTS = ("inactive", "missing")
AT_REST: frozenset[State] = frozenset(
    {
        "detected",
        "confirmed",
        "awaiting_approval",
        "waiting",
        "cooldown",
        "soak",
        "escalated",
        "quarantined",
    }
)
"""States in which an incident may be while nothing is being done about it."""


def make_sighting(
    rule: str = "time", status: Status = "fail", fault: str = "inactive", critical: bool = False
) -> Sighting:
    digest = hashlib.sha256(f"{rule} {fault}".encode()).hexdigest()
    return Sighting(
        rule=rule,
        check="LNX-TIME-001",
        status=status,
        severity="critical" if critical else "medium",
        controls=("hipaa:164.312(b)",),
        source="check",
        fingerprint=digest if status == "fail" else "",
    )
