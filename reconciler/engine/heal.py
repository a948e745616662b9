"""From a plan to outcomes: guards, then a signed intent, then the work, then a second look."""

from dataclasses import dataclass, field, replace

from reconciler.act.executor import execute
from reconciler.engine.look import Eye
from reconciler.engine.prechecks import run_prechecks, verify_also
from reconciler.engine.session import Session
from reconciler.engine.tracking import Tracking
from reconciler.engine.windows import calendar, window_open
from reconciler.evidence.bodies import (
    action_body,
    finding_body,
    outcome_body,
    recovery_body,
    verdict_body,
)
from reconciler.evidence.statement import Kind, Reference
from reconciler.guard import approval, freeze
from reconciler.guard.charge import Charge
from reconciler.guard.charging import charge
from reconciler.guard.context import GuardContext
from reconciler.guard.gate import admit, admitted
from reconciler.ledger.store import Receipt
from reconciler.model.finding import Finding
from reconciler.model.outcome import Outcome
from reconciler.model.plan import Action, Plan
from reconciler.model.run import NotDone
from reconciler.model.verdict import Verdict

_STOPPED = (Verdict("defer", "stop", "the reconciler was told to stop"),)

_OVER = frozenset({"pass", "excepted", "not_applicable"})


@dataclass(slots=True)
class Healing:
    """What became of a plan."""

    outcomes: list[Outcome] = field(default_factory=list)
    not_done: list[NotDone] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Healer:
    """Carries a plan out, one action at a time.

    Attributes:
        tracking: Follows the incidents of its rules.
        found: What the newest look at each rule found.
    """

    session: Session
    eye: Eye
    tracking: Tracking
    found: dict[str, Finding]

    def heal(self, plan: Plan) -> Healing:
        """Try every action; what is not done says why."""
        healing = Healing()
        for action in plan.actions:
            if healing.outcomes and self._is_gone(action):
                continue
            context = None if self.session.options.stopping() else self._context(action)
            verdicts = _STOPPED if context is None else self._verdicts(action, context)
            if context is None or not admitted(verdicts):
                self.tracking.turned_away(action, verdicts)
                healing.not_done.append(_not_done(action, verdicts[-1]))
                continue
            self.tracking.admitted(action)
            receipt = self._announce(action, plan, verdicts, charge(action, context))
            healing.outcomes.append(self._act(action, receipt, context))
        return healing

    def _is_gone(self, action: Action) -> bool:
        """Whether what was done since the look has put right what this action is for."""
        again = self.eye.look_again(action.rules)
        self.found.update(again)
        self.tracking.saw(again)
        return all(finding.status in _OVER for finding in again.values())

    def _context(self, action: Action) -> GuardContext:
        appliance, desired = self.session.appliance, self.eye.desired
        now = appliance.clock.now()
        return GuardContext(
            now=now,
            desired=desired,
            memory=appliance.past.memory,
            steps=appliance.steps,
            prechecks=run_prechecks(self.eye, action),
            window_open=window_open(desired.client, now),
            calendar=calendar(desired.client, now),
            holds=self.session.intent.status.holds,
        )

    def _verdicts(self, action: Action, context: GuardContext) -> tuple[Verdict, ...]:
        verdicts = admit(action, context)
        if not admitted(verdicts):
            return verdicts
        if self.tracking.cut_off.intersection(action.rules):
            # Even as another action: what the cut one did is known only by this run's look.
            return (*verdicts, Verdict("defer", "cooldown", "a crash cut off an action for it"))
        if not any(self.found[rule].status == "fail" for rule in action.rules):
            # What was done since the look may hide it; what nobody sees is not put right.
            return (*verdicts, Verdict("defer", "precheck", "what it is for cannot be seen now"))
        return verdicts

    def _announce(
        self, action: Action, plan: Plan, verdicts: tuple[Verdict, ...], spends: Charge
    ) -> Receipt:
        """The signed intent: without its receipt the executor does nothing (design promise 2)."""
        session = self.session
        session.options.hook("before-intent")
        status, own = session.intent.status, session.own
        recovery = status.acceptance and status.acceptance.recovery
        system = status.system and status.system.in_force
        receipt = session.append(
            Kind.INTENT,
            # From here on the new state counts as accepted, so how it came is said here, too.
            ({"recovery": recovery_body(recovery)} if recovery else {})
            | ({"system": system.to_body()} if system else {})
            | {
                "run": session.run,
                "plan_digest": plan.digest,
                "desired": {"commit": status.commit, "counter": status.counter},
                "action": action_body(action),
                "found": [finding_body(self.found[rule], own) for rule in action.rules],
                "verdicts": [verdict_body(verdict, own) for verdict in verdicts],
                "charge": spends.to_body(),
            },
        )
        session.options.hook("after-intent")
        return receipt

    def _late(self, action: Action, admitted: GuardContext) -> str:
        """Why its time is over, by the guards that go by the calendar; empty while it is not."""
        client, now = self.eye.desired.client, self.session.appliance.clock.now()
        context = replace(
            admitted, now=now, window_open=window_open(client, now), calendar=calendar(client, now)
        )
        verdicts = (guard.judge(action, context) for guard in (freeze.GUARD, approval.GUARD))
        refused = next((each for each in verdicts if each.ruling != "allow"), None)
        return "" if refused is None else f"it took until its time was over: {refused.reason}"

    def _act(self, action: Action, receipt: Receipt, context: GuardContext) -> Outcome:
        session, eye = self.session, self.eye
        outcome = execute(
            action,
            eye.desired.runbooks[action.runbook],
            receipt,
            eye.target,
            session.appliance.steps,
            look=lambda: eye.look_again(action.rules),
            also=lambda: verify_also(eye, action),
            clock=session.appliance.clock,
            deadline_s=eye.deadline_s,
            hook=session.options.hook,
            late=lambda: self._late(action, context),
        )
        self.tracking.ended(outcome)
        session.options.hook("before-outcome")
        closes = Reference(receipt.seq, receipt.digest)
        session.append(Kind.OUTCOME, outcome_body(session.run, outcome, session.own), closes=closes)
        session.options.hook("after-outcome")
        return outcome


def _not_done(action: Action, verdict: Verdict) -> NotDone:
    return NotDone(action, "deferred" if verdict.ruling == "defer" else "denied", verdict)
