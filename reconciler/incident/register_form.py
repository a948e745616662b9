"""How a register stands in the body of a run entry."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, get_args

from reconciler.evidence.entry import stamp
from reconciler.incident import form
from reconciler.incident.transition import tier
from reconciler.model.finding import Severity
from reconciler.model.incident import ENDED, NEXT, Incident, Source, State

_INCIDENT = {
    "id",
    "fingerprint",
    "check",
    "source",
    "severity",
    "controls",
    "state",
    "since",
    "reason",
    "opened",
    "occurrence",
    "recurrences",
    "tier",
    "runbook",
    "asked",
    "until",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What is remembered of an incident that is over.

    Attributes:
        at: When it ended.
    """

    fingerprint: str
    rule: str
    occurrence: int
    recurrences: int
    state: State
    at: datetime

    @classmethod
    def of(cls, incident: Incident) -> "Ended":
        """What is remembered of an incident that has just ended."""
        return cls(
            fingerprint=incident.fingerprint,
            rule=incident.rule,
            occurrence=incident.occurrence,
            recurrences=incident.recurrences,
            state=incident.state,
            at=incident.since,
        )

    @property
    def id(self) -> str:
        """The incident's."""
        return f"{self.fingerprint[:12]}-{self.occurrence}"

    def to_body(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "fingerprint": self.fingerprint,
            "rule": self.rule,
            "occurrence": self.occurrence,
            "recurrences": self.recurrences,
            "state": self.state,
            "at": stamp(self.at),
        }


def ended_from(body: object) -> Ended:
    """The inverse of `Ended.to_body`.

    Raises:
        Malformed: It does not read as such.
    """
    names = {"fingerprint", "rule", "occurrence", "recurrences", "state", "at"}
    read = form.fields(body, names)
    return Ended(
        fingerprint=form.digest(read["fingerprint"]),
        rule=form.text(read["rule"]),
        occurrence=form.count(read["occurrence"], 1),
        recurrences=form.count(read["recurrences"]),
        state=form.one_of(read["state"], ENDED),
        at=form.moment(read["at"]),
    )


def incident_body(incident: Incident) -> dict[str, Any]:
    """An open incident; its rule is the key that it stands under."""
    return {
        "id": incident.id,
        "fingerprint": incident.fingerprint,
        "check": incident.check,
        "source": incident.source,
        "severity": incident.severity,
        "controls": list(incident.controls),
        "state": incident.state,
        "since": stamp(incident.since),
        "reason": incident.reason,
        "opened": stamp(incident.opened),
        "occurrence": incident.occurrence,
        "recurrences": incident.recurrences,
        "tier": incident.tier,
        "runbook": incident.runbook,
        "asked": incident.asked,
        "until": incident.until and stamp(incident.until),
    }


def incident_from(body: object, rule: str, target: str) -> Incident:
    """The inverse of `incident_body`.

    Raises:
        Malformed: It does not read as an open incident.
    """
    read = form.fields(body, _INCIDENT)
    return Incident(
        id=form.text(read["id"]),
        fingerprint=form.digest(read["fingerprint"]),
        rule=rule,
        check=form.text(read["check"]),
        target=target,
        source=form.one_of(read["source"], get_args(Source)),
        severity=form.one_of(read["severity"], get_args(Severity)),
        controls=form.texts(read["controls"]),
        state=form.one_of(read["state"], set(NEXT) - ENDED),
        since=form.moment(read["since"]),
        reason=form.text(read["reason"]),
        opened=form.moment(read["opened"]),
        occurrence=form.count(read["occurrence"], 1),
        recurrences=form.count(read["recurrences"]),
        tier=tier(read["tier"]),
        runbook=form.optional_text(read["runbook"]),
        asked=form.count(read["asked"]),
        until=form.optional_moment(read["until"]),
    )
