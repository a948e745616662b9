"""One step of one incident, as it stands in entries of the ledger."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, get_args

from reconciler.evidence.entry import stamp
from reconciler.incident import form
from reconciler.model.finding import Severity
from reconciler.model.incident import NEXT, Source, State
from reconciler.model.plan import Tier

_ALWAYS = {"id", "fingerprint", "rule", "from", "to", "at", "reason"}
_OPENING = {"check", "source", "severity", "controls", "opened", "occurrence"}
_STATES: tuple[State, ...] = tuple(NEXT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What is said of an incident when it begins, and never again."""

    check: str
    source: Source
    severity: Severity
    controls: tuple[str, ...]
    opened: datetime
    occurrence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """From one state into the next.

    Attributes:
        before: Where it was; ``None`` when it begins.
        after: Where it is.
        at: When, in whole milliseconds.
        reason: Why: a stable code.
        until: When time alone ends what it waits for there.
        opening: Of one that begins.
        recurrences: How often a verified fix did not hold; of one that begins, or recurs.
        recurred: Whether this step is such a recurrence.
        tier: Of ``planned``: who chose; ``None`` where there was nothing to choose.
        runbook: Of ``planned``: what was chosen.
    """

    id: str
    fingerprint: str
    rule: str
    before: State | None
    after: State
    at: datetime
    reason: str
    until: datetime | None = None
    opening: Opening | None = None
    recurrences: int | None = None
    recurred: bool = False
    tier: Tier | None = None
    runbook: str | None = None

    def to_body(self) -> dict[str, Any]:
        """JSON values; `from_body` is the inverse."""
        body: dict[str, Any] = {
            "id": self.id,
            "fingerprint": self.fingerprint,
            "rule": self.rule,
            "from": self.before,
            "to": self.after,
            "at": stamp(self.at),
            "reason": self.reason,
        }
        if self.opening is not None:
            body |= _opening_body(self.opening)
        if self.after == "planned":
            body |= {"tier": self.tier, "runbook": self.runbook}
        if self.recurrences is not None:
            body["recurrences"] = self.recurrences
        if self.recurred:
            body["recurred"] = True
        if self.until is not None:
            body["until"] = stamp(self.until)
        return body

    @classmethod
    def from_body(cls, body: object) -> "Transition":
        """A transition as an entry holds it.

        Raises:
            Malformed: It does not read as one.
        """
        said = form.mapping(body)
        begins = said.get("from") is None
        recurs = said.get("recurred") is True
        planned = said.get("to") == "planned"
        wanted = _ALWAYS | (_OPENING if begins else set())
        wanted |= {"recurrences"} if begins or recurs else set()
        wanted |= {"recurred"} if recurs else set()
        wanted |= {"tier", "runbook"} if planned else set()
        read = form.fields(said, wanted, {"until"})
        return cls(
            id=form.text(read["id"]),
            fingerprint=form.digest(read["fingerprint"]),
            rule=form.text(read["rule"]),
            before=None if begins else form.one_of(read["from"], _STATES),
            after=form.one_of(read["to"], _STATES),
            at=form.moment(read["at"]),
            reason=form.text(read["reason"]),
            until=form.optional_moment(read.get("until")),
            opening=_opening(read) if begins else None,
            recurrences=form.count(read["recurrences"]) if begins or recurs else None,
            recurred=recurs,
            tier=tier(read.get("tier")),
            runbook=form.optional_text(read.get("runbook")),
        )


def tier(value: object) -> Tier | None:
    """A tier, or nothing.

    Raises:
        Malformed: It is something else.
    """
    return None if value is None else form.one_of(value, get_args(Tier))


def _opening_body(opening: Opening) -> dict[str, Any]:
    return {
        "check": opening.check,
        "source": opening.source,
        "severity": opening.severity,
        "controls": list(opening.controls),
        "opened": stamp(opening.opened),
        "occurrence": opening.occurrence,
    }


def _opening(read: Mapping[str, Any]) -> Opening:
    return Opening(
        check=form.text(read["check"]),
        source=form.one_of(read["source"], get_args(Source)),
        severity=form.one_of(read["severity"], get_args(Severity)),
        controls=form.texts(read["controls"]),
        opened=form.moment(read["opened"]),
        occurrence=form.count(read["occurrence"], 1),
    )
