"""One run, from trusted desired state to signed evidence. This file reads as the flow."""

import os
import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

from reconciler.desired.ending import notices
from reconciler.engine import census
from reconciler.engine.advice.advising import advise
from reconciler.engine.append import seal_waiting
from reconciler.engine.appliance import Appliance
from reconciler.engine.facts import gather, refuse_jump
from reconciler.engine.heal import Healer, Healing
from reconciler.engine.introspect import Declared, Introspection
from reconciler.engine.look import Eye
from reconciler.engine.pending import KEPT_ASIDE, whole
from reconciler.engine.record import record_gap, record_holds, record_refusal, record_run
from reconciler.engine.recover import close_interrupted, resume
from reconciler.engine.sealing import newest_moment
from reconciler.engine.session import Options, Session
from reconciler.engine.system_entry import record_system
from reconciler.engine.system_settings import longest_s
from reconciler.engine.tickets.escalation import escalate
from reconciler.engine.tracking import Tracking, by_severity
from reconciler.engine.trusted.intent import pull
from reconciler.engine.trusted.system import attach
from reconciler.engine.upkeep.keep import keep
from reconciler.errors import IntentRefused
from reconciler.model.answer import Answer
from reconciler.model.desired import DesiredState
from reconciler.model.finding import Finding
from reconciler.model.plan import Plan
from reconciler.model.run import RunReport, UpkeepProblem
from reconciler.plan.planner import plan


def reconcile(appliance: Appliance, options: Options | None = None) -> RunReport:
    """Run once.

    Raises:
        IntentRefused: There is no desired state that may be used; the refusal is in the ledger.
        MachineError: The fleet repository cannot be reached and there is no earlier state.
        EvidenceError: Evidence cannot be written, or not under this clock; nothing was done.
        InputError: The desired state is broken and there is no earlier one.
    """
    session = _begin(appliance, options or Options())
    if not session.options.dry_run:
        if appliance.queue.left_over:
            seal_waiting(appliance, session.facts, session.options.hook)
        record_gap(session)
        record_refusal(session)
        record_holds(session)
    desired = _usable(session)
    counted = census.take(desired, appliance.checks, appliance.steps)
    eye = _open_eye(session, desired)
    report = pursue(session, eye, counted.body())
    if session.options.dry_run:
        return report
    changed = record_system(session, eye)
    told = escalate(session, report)
    problems = (*report.problems, *_torn(appliance), *changed, *told, *keep(session))
    return replace(report, problems=problems)


def pursue(session: Session, eye: Eye, census: Mapping[str, int]) -> RunReport:
    """From the first look to the recorded run; nothing is fetched, kept or pushed here.

    Args:
        session: The run.
        eye: How it looks, and under which desired state.
        census: What was loaded, by kind.

    Raises:
        EvidenceError, MachineError: As `reconcile`.
        InputError: A rule names a check that is not in the catalogue.
    """
    resumed = {} if session.options.dry_run else resume(session, eye)
    found = eye.look(eye.desired.rules)
    session.options.hook("observed")
    if session.options.dry_run:
        planned = plan(tuple(found.values()), eye.desired)
        return _report(session, eye, census, found, planned)

    tracking = Tracking.begin(session, eye)
    interrupted = close_interrupted(session, found, tracking, resumed)
    before = tracking.take_in(found)
    advised = advise(session, eye, plan(tracking.ready(before), eye.desired), before, tracking)
    planned = advised.plan
    tracking.catch_up()
    tracking.leave(planned, advised.left)
    healing = Healer(session, eye, tracking, before).heal(planned)
    after = _look_again(eye, tracking, before, healing)
    session.options.hook("before-run-entry")
    report = replace(
        _report(session, eye, census, before, planned),
        findings=tuple(after.values()),
        outcomes=tuple(healing.outcomes),
        not_done=tuple(healing.not_done),
        interrupted=interrupted,
        incidents=tracking.open,
        problems=advised.problems,
    )
    return record_run(session, report)


def _report(
    session: Session,
    eye: Eye,
    census: Mapping[str, int],
    found: Mapping[str, Finding],
    planned: Plan,
) -> RunReport:
    """A run in which nothing was done."""
    desired = eye.desired
    return RunReport(
        run=session.run,
        target=desired.target,
        mode=_mode(desired),
        findings=tuple(found.values()),
        before=tuple(found.values()),
        plan=planned,
        intent=session.intent.status,
        census=census,
        own=session.own,
        notices=notices(desired, session.facts.at.date()),
        incidents=by_severity(session.appliance.past.register.open.values()),
    )


def _look_again(
    eye: Eye, tracking: Tracking, before: Mapping[str, Finding], healing: Healing
) -> Mapping[str, Finding]:
    """What is true at the end of the run; what an action broke elsewhere is an incident, too."""
    if not healing.outcomes:
        return before
    after = eye.look(eye.desired.rules)
    tracking.saw(after)
    return after


def _begin(appliance: Appliance, options: Options) -> Session:
    """Read the clocks once, refuse to sign under a wrong one, pull the desired state."""
    deadline_s = float(appliance.home.settings.probe_deadline_s)
    machine = appliance.make_target("/", _nothing_known)
    facts = gather(appliance.clock, machine, deadline_s)
    newest = newest_moment(appliance.ledger, appliance.queue)
    refuse_jump(facts, newest, appliance.past.last_clock)
    intent = pull(appliance, facts)
    with options.allowing(longest_s(appliance.home.settings.system)):
        intent = attach(appliance, intent, facts.at, evaluating=not options.dry_run)
    if intent.status.fetched:
        appliance.past.reached_at = whole(facts.at)
    options.hook("pulled")
    return Session(
        appliance=appliance,
        run=secrets.token_hex(16),
        facts=facts,
        intent=intent,
        options=options,
    )


def _usable(session: Session) -> DesiredState:
    intent = session.intent
    if intent.desired is None:
        raise intent.error or IntentRefused(
            "there is no desired state", hint="Check the fleet URL.", reason="no-desired-state"
        )
    return intent.desired


def _open_eye(session: Session, desired: DesiredState) -> Eye:
    appliance, facts = session.appliance, session.facts
    introspection = Introspection(
        watch=appliance.watch,
        open_intents=len(appliance.past.open_intents),
        newest_at=newest_moment(appliance.ledger, appliance.queue),
        status=session.intent.status,
        reached_at=appliance.past.reached_at,
        now=appliance.clock.now,
        target=desired.target,
        root=os.geteuid() == 0,
        access_path=tuple(desired.host.access_path),
        declared=Declared(
            status=session.intent.status.system,
            vulnerabilities=desired.vulnerabilities,
            documents=appliance.documents,
            root=desired.host.root,
        ),
    )
    return Eye(
        desired=desired,
        checks=appliance.checks,
        target=appliance.make_target(desired.host.root, introspection),
        deadline_s=float(appliance.home.settings.probe_deadline_s),
        salt=secrets.token_bytes(32),
        today=facts.at.date(),
    )


def _mode(desired: DesiredState) -> Literal["observe", "enforce"]:
    both = {desired.client.mode, desired.host.mode}
    return "enforce" if both == {"enforce"} and "heal" in desired.features else "observe"


def _torn(appliance: Appliance) -> tuple[UpkeepProblem, ...]:
    """What of the runs that an earlier process left could not be read."""
    trouble = appliance.queue.say()
    return () if trouble is None else (UpkeepProblem("sealing", trouble, KEPT_ASIDE),)


def _nothing_known(topic: str) -> Answer:
    return Answer("unsupported", reason=f"{topic}: not known before the desired state is")
