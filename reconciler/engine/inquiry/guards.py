"""Why something does not run and when it will, from the ledger and the accepted desired state.

Neither the host's lock nor its key is needed: nothing is looked at, nothing is written. What fails
is what the newest run recorded; the plan is made again by the planner, and every guard is asked.

Rule 1: What is withheld from evidence is not known here either; a healing rule that asks for it
        may choose otherwise on the machine.
Rule 2: Prechecks are taken to hold and counted, because only a look can tell.
Rule 3: What a language model chose is taken from the run; nobody is asked again.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from reconciler.checks import catalogue as checks
from reconciler.desired.fleet import read_fleet
from reconciler.desired.resolve import resolve
from reconciler.desired.suggest import did_you_mean
from reconciler.engine.appliance import fleet_source, read_ledger
from reconciler.engine.clock import SystemClock
from reconciler.engine.inquiry.explain import newest_run
from reconciler.engine.inquiry.foresee import LOOK_AHEAD, Foreseen, World, foresee
from reconciler.engine.past import Past, recall_from
from reconciler.engine.settings import Home
from reconciler.errors import InputError
from reconciler.evidence.follow import ended_at
from reconciler.guard.gate import judge_all
from reconciler.model.desired import DesiredState
from reconciler.model.finding import Finding
from reconciler.model.guard_answer import Answer, GuardAnswer
from reconciler.model.incident import Incident
from reconciler.model.plan import Action, Plan
from reconciler.model.run import Hold
from reconciler.model.verdict import Verdict
from reconciler.plan.planner import plan, plan_of
from reconciler.ports import Clock
from reconciler.steps import catalogue as steps

_ORDER = {"critical": 0, "high": 1, "medium": 2, "low": 3}
_HOLD_HINT = "Run: reconciler doctor; it says what is needed."
_HOLDS = {
    "stale": "the newest heartbeat of the fleet repository is too old",
    "heartbeat-missing": "no heartbeat of the fleet repository was ever seen",
    "revoked-content": "a key that was revoked wrote a part of the desired state",
}


def explain_guards(
    home: Home, subject: str | None = None, *, clock: Clock | None = None
) -> GuardAnswer:
    """Explain what stands between every failing rule and its repair.

    Args:
        home: Settings of the appliance.
        subject: A rule, an incident or a runbook; everything that fails when it is ``None``.
        clock: Another clock, for tests.

    Raises:
        InputError: Nothing that fails is called so; names what does.
        LedgerMissing: There has not been a run yet.
    """
    now = (clock or SystemClock()).now()
    record, newest = newest_run(home)
    past = recall_from(read_ledger(home))
    body = record.entry.body
    desired = _desired(home, body["intent"]["accepted"]["commit"])
    findings = [f for each in body["findings"] if (f := _failing(each, desired)) is not None]
    planned = with_advice(plan(findings, desired), body["plan"]["actions"], desired.target)
    answers = _Asked(desired, past, planned, now).answers(findings)
    return GuardAnswer(
        target=desired.target,
        asked_at=now,
        commit=desired.commit,
        seq=record.entry.seq,
        seen_at=record.entry.time,
        confirmed_at=datetime.fromisoformat(ended_at(newest)),
        interval_s=home.settings.interval_s,
        looked_ahead_s=LOOK_AHEAD // timedelta(seconds=1),
        answers=tuple(_chosen(answers, subject)),
    )


def _desired(home: Home, commit: str) -> DesiredState:
    settings = home.settings
    fleet = read_fleet(fleet_source(home).read_files(commit))
    # The tree only names the state in evidence, and nothing here goes there.
    return resolve(
        fleet, settings.client, settings.host, commit=commit, tree="0" * 40, checks=checks.load()
    )


def _failing(body: Mapping[str, Any], desired: DesiredState) -> Finding | None:
    known = {rule.id for rule in desired.rules}
    if body["status"] != "fail" or body["rule"] not in known:
        return None
    observed = body["observed"].items()
    return Finding(
        rule=body["rule"],
        check=body["check"],
        target=desired.target,
        status="fail",
        severity=body["severity"],
        controls=tuple(body["controls"]),
        observed={name: tuple(v) if isinstance(v, list) else v for name, v in observed},
        expected=dict(body["expected"]),
        failed=tuple(body["failed"]),
        reason=body["reason"],
    )


def with_advice(planned: Plan, recorded: Iterable[Mapping[str, Any]], target: str) -> Plan:
    """A plan with what a language model chose in the run, where no rule has an answer still.

    Args:
        planned: Made again from what the run found.
        recorded: The actions of the run's own plan.
        target: ``<client>/<host>``.
    """
    left = {u.rule for u in planned.unplanned if u.reason == "no-remedy"}
    chosen = [
        Action(
            id=each["id"],
            target=target,
            tier="L2",
            rules=tuple(each["rules"]),
            runbook=each["runbook"],
            runbook_digest=each["runbook_digest"],
            params={n: tuple(v) if isinstance(v, list) else v for n, v in each["params"].items()},
        )
        for each in recorded
        if each["tier"] == "L2" and left.issuperset(each["rules"])
    ]
    taken = {rule for action in chosen for rule in action.rules}
    rest = [u for u in planned.unplanned if u.rule not in taken]
    return plan_of([*planned.actions, *chosen], rest) if chosen else planned


@dataclass(slots=True)
class _Asked:
    """The plan of what fails, and every guard asked about it."""

    desired: DesiredState
    past: Past
    plan: Plan
    now: datetime

    def answers(self, findings: Iterable[Finding]) -> list[Answer]:
        world = World(
            desired=self.desired,
            steps=steps.load(),
            memory=self.past.memory,
            holds=tuple(_holds(self.past)),
        )
        unconfirmed = dict(self._unconfirmed())
        seen = foresee(self.plan.actions, world, self.now, unconfirmed)
        spoken = {a.id: judge_all(a, world.at(a, self.now)) for a in self.plan.actions}
        found = [self._answer(finding, spoken, seen) for finding in findings]
        return sorted(found, key=lambda answer: (_ORDER[answer.severity], answer.rule))

    def _answer(
        self,
        finding: Finding,
        spoken: Mapping[str, tuple[Verdict, ...]],
        seen: Mapping[str, Foreseen],
    ) -> Answer:
        action = next((a for a in self.plan.actions if finding.rule in a.rules), None)
        foreseen = seen[action.id] if action else Foreseen(None)
        return Answer(
            rule=finding.rule,
            check=finding.check,
            severity=finding.severity,
            incident=self._incident(finding.rule),
            action=action,
            unplanned=next((u for u in self.plan.unplanned if u.rule == finding.rule), None),
            verdicts=spoken[action.id] if action else (),
            runs_at=foreseen.runs_at,
            stops=foreseen.stops,
            prechecks=self._prechecks(action),
        )

    def _incident(self, rule: str) -> Incident | None:
        return self.past.register.open.get(rule)

    def _prechecks(self, action: Action | None) -> int:
        pinned = self.desired.runbooks.get(action.runbook) if action else None
        return len(pinned.runbook.precheck) if pinned else 0

    def _unconfirmed(self) -> Iterator[tuple[str, datetime]]:
        """Until when actions wait for a second sighting of all that they are for."""
        wait = timedelta(seconds=self.desired.guards.confirm_s)
        for action in self.plan.actions:
            incidents = [self._incident(rule) for rule in action.rules]
            if all(incident and incident.state == "detected" for incident in incidents):
                yield action.id, min(i.since for i in incidents if i is not None) + wait


def _holds(past: Past) -> Iterator[Hold]:
    for reason, since in past.standing.held.items():
        message = _HOLDS.get(reason, "the desired state is held")
        yield Hold(reason=reason, message=message, hint=_HOLD_HINT, since=since)


def _chosen(answers: list[Answer], subject: str | None) -> list[Answer]:
    if subject is None:
        return answers
    chosen = [answer for answer in answers if subject in _names(answer)]
    if not chosen:
        known = {name for answer in answers for name in _names(answer) - _fingerprint(answer)}
        message = f"nothing that fails on this host is called {subject[:80]!r}"
        raise InputError(message, hint=did_you_mean(subject, known))
    return chosen


def _fingerprint(answer: Answer) -> set[str]:
    """Long, and the id begins with it: nobody wants to read it in a hint."""
    return set() if answer.incident is None else {answer.incident.fingerprint}


def _names(answer: Answer) -> set[str]:
    names = {answer.rule, answer.rule.partition("[")[0], answer.check}
    if answer.incident is not None:
        names |= {answer.incident.id, answer.incident.fingerprint}
    return names | ({answer.action.runbook} if answer.action else set())
