"""What happens to incidents in one run: every step is checked against the register, then kept."""

from dataclasses import dataclass, field
from datetime import datetime

from reconciler.incident import form
from reconciler.incident.fingerprint import Sighting
from reconciler.incident.register import Register
from reconciler.incident.transition import Opening, Transition
from reconciler.model.incident import Incident, State
from reconciler.model.plan import Tier


@dataclass(slots=True)
class Story:
    """The register as it is now, and the steps that stand in no entry yet.

    Attributes:
        register: After every step so far.
        moves: Steps that no durable entry carries yet, oldest first; who appends one takes them.
    """

    register: Register
    moves: list[Transition] = field(default_factory=list)

    def of(self, rule: str) -> Incident | None:
        """The open incident of a bound rule."""
        return self.register.open.get(rule)

    def begin(
        self,
        seen: Sighting,
        at: datetime,
        *,
        reason: str,
        opened: datetime,
        recurrences: int,
        recurred: bool,
    ) -> None:
        """A new incident.

        Raises:
            Malformed: Its rule has one, or the sighting is of no fault.
        """
        occurrence = self.register.next_occurrence(seen.fingerprint)
        self._add(
            Transition(
                id=f"{seen.fingerprint[:12]}-{occurrence}",
                fingerprint=form.digest(seen.fingerprint),
                rule=seen.rule,
                before=None,
                after="detected",
                at=at,
                reason=reason,
                opening=Opening(
                    check=seen.check,
                    source=seen.source,
                    severity=seen.severity,
                    controls=seen.controls,
                    opened=opened,
                    occurrence=occurrence,
                ),
                recurrences=recurrences,
                recurred=recurred,
            )
        )

    def go(
        self,
        incident: Incident,
        after: State,
        reason: str,
        at: datetime,
        *,
        until: datetime | None = None,
        recurred: bool = False,
    ) -> Incident:
        """One step of an open incident; returns it as it is then.

        Raises:
            Malformed: `NEXT` does not allow it.
        """
        self._add(
            Transition(
                id=incident.id,
                fingerprint=incident.fingerprint,
                rule=incident.rule,
                before=incident.state,
                after=after,
                at=at,
                reason=reason,
                until=until,
                recurrences=incident.recurrences + 1 if recurred else None,
                recurred=recurred,
            )
        )
        return self.register.open.get(incident.rule, incident)

    def plan(
        self, incident: Incident, reason: str, at: datetime, tier: Tier | None, runbook: str | None
    ) -> Incident:
        """Something was chosen for it, or it was settled that nothing is.

        Raises:
            Malformed: `NEXT` does not allow it.
        """
        self._add(
            Transition(
                id=incident.id,
                fingerprint=incident.fingerprint,
                rule=incident.rule,
                before=incident.state,
                after="planned",
                at=at,
                reason=reason,
                tier=tier,
                runbook=runbook,
            )
        )
        return self.register.open[incident.rule]

    def _add(self, step: Transition) -> None:
        self.register = self.register.after(step)
        self.moves.append(step)
