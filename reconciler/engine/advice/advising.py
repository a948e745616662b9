"""Tier L2: a language model may choose among what is approved, for what no rule has an answer to.

Rule 1: It is off unless the settings name an endpoint, the client's tier has ``advise``, and the
        client consented and has a business associate agreement (45 CFR 164.504(e)).
Rule 2: Nothing is asked about what would not be done anyway: rules that only look, a host whose
        kill switch is engaged, a desired state that is held.
Rule 3: A question is in the ledger before it leaves, and counts from then on. There is no retry
        but one at the next less strict form of an answer, which counts like any other.
Rule 4: After an endpoint did not answer, this run asks nothing more, and later ones wait.
Rule 5: A choice that has to wait is proposed again in later runs, and not asked for again; also
        while nobody may be asked, so that it is said what it waits for.
Rule 6: A choice is an action like any other: every guard judges it. Everything else is a person's.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from secrets import token_bytes
from typing import Protocol

from reconciler.advise.adviser import Adviser
from reconciler.advise.answer import Judgement, judge, text_of, tokens_of
from reconciler.advise.candidates import Candidate, candidates
from reconciler.advise.question import Question, compose
from reconciler.advise.reply import NoReply, Reply
from reconciler.engine.advice.endpoint import adviser_of
from reconciler.engine.advice.entries import Answered, Asking, answered_body, asked_body
from reconciler.engine.look import Eye
from reconciler.engine.session import Session
from reconciler.errors import InputError, MachineError
from reconciler.evidence.entry import Kind
from reconciler.guard.advice_budget import LEVELS, Level, below, endpoint_key, refusal
from reconciler.incident.verdicts import READY
from reconciler.model.client import Client
from reconciler.model.desired import BoundRule
from reconciler.model.finding import Finding
from reconciler.model.incident import Incident
from reconciler.model.plan import Action, Plan
from reconciler.model.run import UpkeepProblem
from reconciler.model.tier import Feature
from reconciler.plan.planner import plan_of

MOST_A_RUN = 8
"""Questions in one run; what is left is asked in later ones, so that a run ends."""

NO_REMEDY = "no-remedy"
_SLACK_S = 10.0
Offered = tuple[tuple[Candidate, ...], int]
"""Candidates, and how many there were beside them."""
_SEVEREST = {"critical": 0, "high": 1, "medium": 2, "low": 3}


class Incidents(Protocol):
    """What is known of incidents in this run."""

    def of(self, rule: str) -> Incident | None:
        """The open incident of a bound rule."""
        ...


@dataclass(frozen=True, slots=True)
class Advised:
    """A plan with what the model chose, and what became of the rest.

    Attributes:
        plan: The plan.
        left: For every rule that stays without a remedy: the code to escalate it with, or None
            where it is asked about in a later run.
        problems: Why the endpoint of the settings cannot be used at all.
    """

    plan: Plan
    left: Mapping[str, str | None]
    problems: tuple[UpkeepProblem, ...] = ()


def absent(client: Client, features: Collection[Feature]) -> str | None:
    """Why a language model may not be asked about a client's hosts; None if it may.

    Args:
        client: The client, with what it decided.
        features: Of its tier. The endpoint of the settings is another question.
    """
    given = client.advice
    if "advise" not in features:
        return "the client's tier has no advise"
    if given is None or not given.consent:
        return "the client did not consent"
    if not given.business_associate_agreement:
        return "there is no business associate agreement"
    return None


def advise(
    session: Session,
    eye: Eye,
    planned: Plan,
    findings: Mapping[str, Finding],
    incidents: Incidents,
) -> Advised:
    """Ask about confirmed incidents that no rule has an answer to.

    Args:
        session: This run.
        eye: How it looks, with the desired state and the catalogue of checks.
        planned: What rules chose.
        findings: Of this run's look, by bound rule.
        incidents: Of this run.

    Raises:
        EvidenceError: A question cannot be recorded, so it was not asked.
        MachineError: The ledger cannot be written.
    """
    waiting = [one.rule for one in planned.unplanned if one.reason == NO_REMEDY]
    off = Advised(planned, dict.fromkeys(waiting, NO_REMEDY))
    desired = eye.desired
    dry = session.options.dry_run
    if not waiting or dry or absent(desired.client, desired.features) is not None:
        return off
    recalled = _Recalled(session, eye, findings, incidents)
    try:
        adviser = session.appliance.adviser or adviser_of(session.appliance.home)
    except (InputError, MachineError) as error:
        problems = (UpkeepProblem("advice", str(error), error.hint),)
        return replace(recalled.advised(planned, waiting), problems=problems)
    if adviser is None:
        return off
    if desired.kill_switches or session.intent.status.holds:
        return recalled.advised(planned, waiting)
    return _Round(session, eye, findings, incidents, adviser=adviser).advised(planned, waiting)


@dataclass(slots=True)
class _Recalled:
    """A run in which nobody may be asked: what was chosen before is proposed again.

    Attributes:
        chosen: Actions that were chosen so far.
    """

    session: Session
    eye: Eye
    findings: Mapping[str, Finding]
    incidents: Incidents
    chosen: list[Action] = field(default_factory=list, kw_only=True)

    def advised(self, planned: Plan, waiting: list[str]) -> Advised:
        rules = {rule.id: rule for rule in self.eye.desired.rules}
        ordered = sorted(waiting, key=lambda r: (_SEVEREST[rules[r].severity], r))
        ends = {rule: self._end(rules[rule]) for rule in ordered}
        left = {rule: end for rule, end in ends.items() if not isinstance(end, Action)}
        actions = _joined([*planned.actions, *self.chosen])
        unplanned = [one for one in planned.unplanned if one.rule not in ends or one.rule in left]
        return Advised(plan_of(actions, unplanned), left)

    def _end(self, rule: BoundRule) -> Action | str | None:
        """The action that was chosen for a rule, the code of why none, or None for later."""
        incident = self.incidents.of(rule.id)
        finding = self.findings.get(rule.id)
        if not rule.enforce or finding is None:
            return NO_REMEDY
        if incident is None or incident.state not in READY:
            return None
        offered = candidates(rule, finding, self.eye.desired)
        remembered = self._remembered(incident, offered[0])
        return remembered or self._otherwise(rule, finding, incident, offered)

    def _otherwise(
        self, _rule: BoundRule, _finding: Finding, _incident: Incident, _offered: Offered
    ) -> Action | str | None:
        return NO_REMEDY

    def _remembered(self, incident: Incident, offered: Sequence[Candidate]) -> Action | None:
        """What was chosen for this incident before, if it is still offered, exactly as it was."""
        chosen = self.session.appliance.past.memory.advice.choices.get(incident.id)
        found = [one.action for one in offered if chosen and one.action.id == chosen.action]
        self.chosen.extend(found)
        return found[0] if found else None


@dataclass(slots=True)
class _Round(_Recalled):
    """The questions of one run.

    Attributes:
        asked: Requests so far.
        silent: The endpoint did not answer.
    """

    adviser: Adviser = field(kw_only=True)
    asked: int = 0
    silent: bool = False

    def _otherwise(
        self, rule: BoundRule, finding: Finding, incident: Incident, offered: Offered
    ) -> Action | str | None:
        if incident.state == "escalated":
            return None
        if not offered[0]:
            return NO_REMEDY
        check = self.eye.checks[rule.check]
        question = compose(rule, finding, check, self.eye.desired, offered, token_bytes(16))
        return self._choice(incident, question)

    def _choice(self, incident: Incident, question: Question) -> Action | str | None:
        first = self.session.appliance.past.memory.advice.level(self._key)
        answered = self._ask(incident, question, first)
        if isinstance(answered, Answered) and answered.refused_form:
            # The only retry: the endpoint does not know this form, and said so.
            answered = self._ask(incident, question, below(first))
        if not isinstance(answered, Answered):
            return answered
        judgement = answered.judgement
        if judgement.result != "accepted" or judgement.choice is None:
            return f"advice-{judgement.result}"
        action = question.options[judgement.choice].action
        self.chosen.append(action)
        return action

    def _ask(self, incident: Incident, question: Question, level: Level) -> Answered | str | None:
        """One request with its two entries; why there was none, or None for later."""
        refused = self._refusal(incident)
        if refused is not None:
            return f"advice-{refused}"
        if self.asked >= MOST_A_RUN or self.session.options.stopping():
            return None
        session, clock = self.session, self.session.appliance.clock
        asking = Asking(
            run=session.run,
            incident=incident.id,
            endpoint=self.adviser.endpoint,
            level=level,
            question=question,
        )
        session.options.hook("before-asking")
        begun = clock.monotonic()
        receipt = session.append(Kind.ADVICE, asked_body(asking))
        self.asked += 1
        session.options.hook("asking")
        answered = self._heard(question, level)
        session.options.hook("answered")
        answered = replace(answered, ms=int(1000 * (clock.monotonic() - begun)))
        session.append(Kind.ADVICE, answered_body(asking, receipt, answered))
        self.silent = answered.judgement.result in {"unreachable", "timeout"}
        return answered

    def _heard(self, question: Question, level: Level) -> Answered:
        numbers = self.eye.desired.guards.advice
        with self.session.options.allowing(numbers.timeout_s + _SLACK_S):
            reply = self._reply(question, level, float(numbers.timeout_s))
        if isinstance(reply, NoReply):
            return Answered(judgement=Judgement(reply.result))
        return _judged(reply, question, level, numbers.least_confidence_percent)

    def _reply(self, question: Question, level: Level, timeout_s: float) -> Reply | NoReply:
        try:
            return self.adviser.ask(question, level, timeout_s)
        except (InputError, ImportError):
            # A file or a library went away since they were seen; advice stops nothing.
            return NoReply("unreachable")

    def _refusal(self, incident: Incident) -> str | None:
        if self.silent:
            return "unreachable"
        numbers, appliance = self.eye.desired.guards.advice, self.session.appliance
        if incident.asked >= numbers.per_incident:
            return "over-budget"
        budget, now = appliance.past.memory.advice, appliance.clock.now()
        return refusal(budget, incident.id, self._key, numbers, now)

    @property
    def _key(self) -> str:
        endpoint = self.adviser.endpoint
        return endpoint_key(endpoint.name, endpoint.model)


def _judged(reply: Reply, question: Question, level: Level, least_percent: int) -> Answered:
    status, sha256 = reply.status, reply.sha256
    if status == 200:
        said = judge(text_of(reply.content), question, least_percent)
        return Answered(
            judgement=said, status=status, sha256=sha256, tokens=tokens_of(reply.content)
        )
    refused = reply.refuses_form and level != LEVELS[-1]
    judgement = Judgement("invalid" if refused else "unreachable")
    return Answered(judgement=judgement, status=status, sha256=sha256)


def _joined(actions: Iterable[Action]) -> list[Action]:
    """The same work is one action, whoever chose it; who came first is named."""
    joined: dict[str, Action] = {}
    for action in actions:
        known = joined.get(action.id, action)
        rules = tuple(sorted({*known.rules, *action.rules}))
        joined[action.id] = replace(known, rules=rules)
    return list(joined.values())
