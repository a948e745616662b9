"""The register: every open incident, and what must be known of those that ended.

Rule 1: It is a fold over transitions in entries; a run entry carries it, signed.
Rule 2: A transition that `NEXT` does not allow, or that is about another incident than the open
        one, is damage, never a new beginning.
Rule 3: It does not grow with history: what ended is forgotten after `REMEMBER`, or when there is
        too much of it. An id is not used twice all the same.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from reconciler.errors import LedgerDamaged
from reconciler.incident import form
from reconciler.incident.register_form import Ended, ended_from, incident_body, incident_from
from reconciler.incident.transition import Transition
from reconciler.model.incident import ENDED, NEXT, Incident

REMEMBER = timedelta(days=7)
"""An incident of a rule within this time after a closed one says that the fix did not hold."""
MOST_ENDED = 256
CARRIERS = frozenset({"intent", "outcome", "run", "advice", "ticket"})
"""Kinds of entries that carry transitions, in their member ``incidents``."""

_HINT = "Verify the ledger (reconciler verify REPOSITORY); nothing is applied until it is whole."


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """What is known of the incidents of one host.

    Attributes:
        target: ``<client>/<host>``.
        open: By bound rule.
        ended: The newest of each fingerprint, the oldest first.
        forgotten: The highest occurrence that was forgotten, of any fingerprint.
    """

    target: str = ""
    open: Mapping[str, Incident] = field(default_factory=dict)
    ended: Mapping[str, Ended] = field(default_factory=dict)
    forgotten: int = 0

    def next_occurrence(self, fingerprint: str) -> int:
        """What the next incident of a fingerprint is numbered."""
        last = self.ended.get(fingerprint)
        return (self.forgotten if last is None else last.occurrence) + 1

    def last_of(self, rule: str, at: datetime) -> Ended | None:
        """The newest incident of a rule that ended within `REMEMBER` of a moment."""
        for each in reversed(tuple(self.ended.values())):
            if each.rule == rule:
                return each if at - each.at <= REMEMBER else None
        return None

    def after(self, step: Transition) -> "Register":
        """The register after one more transition.

        Raises:
            Malformed: It cannot follow what is known.
        """
        if step.opening is not None:
            return self._begin(step)
        incident = self.open.get(step.rule)
        if incident is None or (incident.id, incident.fingerprint) != (step.id, step.fingerprint):
            raise form.Malformed(f"incident {step.id} of {step.rule} is not open")
        if incident.state != step.before or step.after not in NEXT[incident.state]:
            message = f"incident {step.id} is {incident.state}, not on the way to {step.after}"
            raise form.Malformed(message)
        moved = _moved(incident, step)
        if step.after in ENDED:
            return self._end(moved)
        return replace(self, open={**self.open, step.rule: moved})

    def asked(self, id_: str) -> "Register":
        """The register after a question to a language model about one of its incidents."""
        about = {r: replace(i, asked=i.asked + 1) for r, i in self.open.items() if i.id == id_}
        return replace(self, open={**self.open, **about})

    def _begin(self, step: Transition) -> "Register":
        opening = step.opening
        if opening is None or step.after != "detected" or step.recurrences is None:
            raise form.Malformed(f"incident {step.id} begins with {step.after}")
        wanted = f"{step.fingerprint[:12]}-{opening.occurrence}"
        if step.rule in self.open or step.id != wanted:
            raise form.Malformed(f"incident {step.id} of {step.rule} begins beside another")
        if opening.occurrence < self.next_occurrence(step.fingerprint):
            raise form.Malformed(f"incident {step.id} was there before")
        incident = Incident(
            id=step.id,
            fingerprint=step.fingerprint,
            rule=step.rule,
            check=opening.check,
            target=self.target,
            source=opening.source,
            severity=opening.severity,
            controls=opening.controls,
            state=step.after,
            since=step.at,
            reason=step.reason,
            opened=opening.opened,
            occurrence=opening.occurrence,
            recurrences=step.recurrences,
            tier=None,
            runbook=None,
            asked=0,
            until=step.until,
        )
        return replace(self, open={**self.open, step.rule: incident})

    def _end(self, incident: Incident) -> "Register":
        others = [one for key, one in self.ended.items() if key != incident.fingerprint]
        ended = [*others, Ended.of(incident)]
        kept = [one for one in ended if incident.since - one.at <= REMEMBER][-MOST_ENDED:]
        names = {one.fingerprint for one in kept}
        lost = [one.occurrence for one in ended if one.fingerprint not in names]
        return replace(
            self,
            open={rule: one for rule, one in self.open.items() if rule != incident.rule},
            ended={one.fingerprint: one for one in kept},
            forgotten=max([self.forgotten, *lost]),
        )

    def to_body(self) -> dict[str, Any]:
        """JSON values for evidence; `from_body` is the inverse."""
        return {
            "open": {rule: incident_body(one) for rule, one in self.open.items()},
            "ended": [one.to_body() for one in self.ended.values()],
            "forgotten": self.forgotten,
        }

    @classmethod
    def from_body(cls, body: object, target: str) -> "Register":
        """What a run entry carried; empty where it is of a version that carried none.

        Raises:
            LedgerDamaged: It does not read as a register.
        """
        if body is None:
            return cls(target=target)
        try:
            read = form.fields(body, {"open", "ended", "forgotten"})
            ended = [ended_from(one) for one in _list(read["ended"])]
            return cls(
                target=target,
                open={
                    form.text(rule): incident_from(one, rule, target)
                    for rule, one in form.mapping(read["open"]).items()
                },
                ended={one.fingerprint: one for one in ended},
                forgotten=form.count(read["forgotten"]),
            )
        except form.Malformed as error:
            raise LedgerDamaged(f"the register is garbled: {error}", hint=_HINT) from error


def fold(register: Register, kind: str, body: Mapping[str, Any]) -> Register:
    """The register after one more entry of the ledger.

    Raises:
        LedgerDamaged: A transition in it cannot follow what was before.
    """
    if kind not in CARRIERS:
        return register
    try:
        for step in transitions(body):
            register = register.after(step)
        if kind == "advice" and body.get("phase") == "asked":
            register = register.asked(form.text(body.get("incident")))
    except form.Malformed as error:
        raise LedgerDamaged(f"entry {kind} is garbled: {error}", hint=_HINT) from error
    return register


def transitions(body: Mapping[str, Any]) -> Iterable[Transition]:
    """The transitions that an entry's body carries; none where it has no such member.

    Raises:
        Malformed: One does not read as a transition.
    """
    return [Transition.from_body(one) for one in _list(body.get("incidents", []))]


def _moved(incident: Incident, step: Transition) -> Incident:
    moved = replace(incident, state=step.after, since=step.at, reason=step.reason, until=step.until)
    if step.after == "planned":
        moved = replace(moved, tier=step.tier, runbook=step.runbook)
    if step.recurrences is not None:
        moved = replace(moved, recurrences=step.recurrences)
    return moved


def _list(value: object) -> list[Any]:
    if isinstance(value, list | tuple):
        return list(value)
    raise form.Malformed("a list is missing")
