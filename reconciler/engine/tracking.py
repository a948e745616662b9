"""Incidents in one run: what the look, the plan, the guards and the outcomes do to them.

Nothing is decided here; `reconciler.incident` does. What it decides waits in `Session.moves` and
stands in the next entry that the session appends, before anything is done because of it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from reconciler.engine.look import Eye
from reconciler.engine.pending import whole
from reconciler.engine.session import Session
from reconciler.engine.windows import calendar
from reconciler.guard.attempt import ended
from reconciler.guard.cooldown import bound_s
from reconciler.guard.recurrence import damping
from reconciler.incident import ends, look, verdicts
from reconciler.incident.fingerprint import sighting
from reconciler.incident.story import Story
from reconciler.model.desired import BoundRule
from reconciler.model.finding import Finding, Severity
from reconciler.model.incident import Incident
from reconciler.model.outcome import Outcome
from reconciler.model.plan import Action, Plan
from reconciler.model.verdict import Verdict

_ORDER: Mapping[Severity, int] = {"critical": 0, "high": 1, "medium": 2, "low": 3}


@dataclass(frozen=True, slots=True)
class Tracking:
    """Follows incidents through one run.

    Attributes:
        session: The run.
        eye: How it looks, and under which desired state.
        story: The register as it is now, and what stands in no entry yet.
        cut_off: Rules of actions that a crash cut off: nothing is sent for them in this run.
        tired: Rules whose fixes did not hold so often that a person is told before anything else
            is tried: nothing is planned for them in this run.
        renewed: Rules for which another system is wanted than they were last put right with.
    """

    session: Session
    eye: Eye
    story: Story
    cut_off: set[str] = field(default_factory=set)
    tired: set[str] = field(default_factory=set)
    renewed: set[str] = field(default_factory=set)

    @classmethod
    def begin(cls, session: Session, eye: Eye) -> "Tracking":
        """Go on from what the ledger says."""
        return cls(session, eye, Story(session.appliance.past.register, session.moves))

    @property
    def open(self) -> tuple[Incident, ...]:
        """Every open incident, the severest first."""
        return by_severity(self.story.register.open.values())

    def of(self, rule: str) -> Incident | None:
        """The open incident of a bound rule."""
        return self.story.of(rule)

    def take_in(self, found: Mapping[str, Finding]) -> dict[str, Finding]:
        """Take in the first look; what must be seen twice is looked at again now if it may be.

        Returns:
            The newest finding of every rule.
        """
        desired, at = self.eye.desired, self._now()
        look.drop(self.story, {rule.id for rule in desired.rules}, at)
        # The client's day, as the guard that keeps a quarantined host closed reckons it.
        today = calendar(desired.client, at).day
        look.acknowledge(self.story, desired.acknowledgements, today, at)
        self.saw(found)
        newest = dict(found)
        seen_once = look.unconfirmed(self.story, tuple(found))
        if seen_once and not desired.guards.confirm_s:
            again = self.eye.look_again(seen_once)
            self.saw(again)
            newest.update(again)
        self.tired.update(look.tire(self.story, self._flapping(at), at))
        return newest

    def saw(self, found: Mapping[str, Finding]) -> None:
        """Take in one look."""
        gauges = {finding.check: self._gauges(finding.check) for finding in found.values()}
        systems = self.session.appliance.past.memory.systems
        wanted = {rule: finding.observed.get("system") for rule, finding in found.items()}
        self.renewed.difference_update(found)
        self.renewed.update(r for r, system in wanted.items() if systems.renews(r, system))
        seen = [
            sighting(finding, gauges[finding.check], renewed=rule in self.renewed)
            for rule, finding in found.items()
        ]
        look.look(self.story, seen, self.eye.desired.guards, self._now())

    def ready(self, found: Mapping[str, Finding]) -> tuple[Finding, ...]:
        """The findings without those that fail and may not be planned for yet."""
        return tuple(f for f in found.values() if f.status != "fail" or self._is_ready(f.rule))

    def leave(self, plan: Plan, left: Mapping[str, str | None] | None = None) -> None:
        """What nothing is planned for is explained.

        Args:
            plan: The plan, with what tier L2 chose.
            left: Of rules without a remedy: why nobody chose; ``None`` where it is asked later.
        """
        rules = {rule.id: rule for rule in self.eye.desired.rules}
        reasons = left or {}
        for unplanned in plan.unplanned:
            reason = reasons.get(unplanned.rule, unplanned.reason)
            if not _enforced(rules.get(unplanned.rule)):
                reason = "observe"
            if reason is not None:
                verdicts.left_over(self.story, unplanned.rule, reason, self._now())

    def admitted(self, action: Action) -> None:
        """Every guard allowed it; its intent comes next."""
        verdicts.admitted(self.story, action, self._now())

    def turned_away(self, action: Action, spoken: Sequence[Verdict]) -> None:
        """A guard did not allow it."""
        desired = self.eye.desired
        pinned = desired.runbooks.get(action.runbook)
        never = pinned is None or pinned.runbook.mode == "never"
        verdicts.turned_away(self.story, action, spoken, desired.guards, self._now(), never=never)

    def ended(self, outcome: Outcome) -> None:
        """It ended, or a crash ended it; its outcome entry comes next."""
        steps = self.session.appliance.steps
        one_way = {kind.id for kind in steps.values() if not kind.reversible}
        if outcome.result == "interrupted":
            self.cut_off.update(outcome.rules)
        cools_s = self._cools_s(outcome)
        ends.ended(self.story, outcome, one_way, cools_s, self.eye.desired.guards, self._now())

    def _cools_s(self, outcome: Outcome) -> int:
        """For how long the cooldown holds the same action once its outcome is recorded."""
        attempt = self.session.appliance.past.memory.attempts.get(outcome.action)
        over = attempt and ended(attempt, outcome.result, self._now())
        failures = over.failures if over else 0
        return bound_s(failures, self.eye.desired.guards.cooldown)

    def catch_up(self) -> None:
        """Take in entries that others appended: what they said of incidents counts from now on."""
        register = self.session.appliance.past.register
        for move in self.session.moves:
            register = register.after(move)
        self.story.register = register

    def _flapping(self, at: datetime) -> list[str]:
        """Rules that came back too often of late, with what this run has just seen."""
        flaps = self.session.appliance.past.memory.flaps
        numbers = self.eye.desired.guards.flap
        just_now = {move.rule for move in self.session.moves if move.recurred}
        return [
            rule
            for rule in self.story.register.open
            if rule not in self.renewed
            and damping(flaps.get(rule), numbers, at).recurrences + (rule in just_now)
            >= numbers.most_recurrences
        ]

    def _is_ready(self, rule: str) -> bool:
        incident = self.story.of(rule)
        if rule in self.tired:
            return False
        return incident is not None and incident.state in verdicts.READY

    def _gauges(self, check: str) -> frozenset[str]:
        fields = self.eye.checks[check].fields
        return frozenset(name for name, one in fields.items() if one.gauge)

    def _now(self) -> datetime:
        return whole(self.session.appliance.clock.now())


def by_severity(incidents: Iterable[Incident]) -> tuple[Incident, ...]:
    """The severest first, then the oldest."""
    return tuple(sorted(incidents, key=lambda i: (_ORDER[i.severity], i.opened, i.rule)))


def _enforced(rule: BoundRule | None) -> bool:
    return rule is not None and rule.enforce
