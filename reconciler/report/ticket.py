"""A ticket: what was seen, what was tried, why it stopped, and what a person can do now.

Everything that came from a machine was scrubbed for evidence before it comes here; what is said
about it is ours. The approval that it proposes allows nothing until somebody commits and signs it.
"""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.evidence.entry import stamp
from reconciler.model.incident import Incident
from reconciler.report import ticket_form, ticket_words
from reconciler.report.ticket_form import Section
from reconciler.report.words import clip, value

Body = Mapping[str, Any]

FORMAT = "reconciler-ticket-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One action that was begun for the incident.

    Attributes:
        intent: Number of the entry that announced it.
        outcome: Number of the entry that says how it ended; None while it is open.
        commit: Of the newer of both, in the evidence repository.
        at: When.
        tier: Who chose it.
        runbook: Id.
        result: From the closed list of outcomes; ``open`` while there is none.
        reason: Why, in words; scrubbed.
        rollback: ``none``, ``verified`` or ``unverified``.
        steps: Each step and how it went, in words; scrubbed.
    """

    intent: int
    outcome: int | None
    commit: str
    at: str
    tier: str
    runbook: str
    result: str
    reason: str
    rollback: str
    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a ticket is made from.

    Attributes:
        incident: The incident.
        phase: ``opened`` or ``step``.
        step: Number of the step of the chain, from 0.
        finding: As evidence holds it; None if no finding of the rule is known.
        tried: What was begun, oldest first.
        stopped: What the guard said, scrubbed; empty if none spoke.
        approval: Path and text of a file that would let it go on; None where none would.
        runbook: What that file is about; empty without one.
        people: How many people must agree with that file.
        evidence: Entries that tell of it: number, what it is, commit.
        fleet: Commit of the desired state in force.
    """

    incident: Incident
    phase: str
    step: int
    finding: Body | None
    tried: tuple[Tried, ...]
    stopped: str
    approval: tuple[str, str] | None
    runbook: str
    people: int
    evidence: tuple[tuple[int, str, str], ...]
    fleet: str


def title(facts: Facts) -> str:
    """One line: where, what, how bad, and that a person is asked."""
    incident, words = facts.incident, ticket_words.phase_words(facts.phase)
    return ticket_form.plain_line(
        f"{incident.target}: {incident.rule} ({incident.severity}) {words}"
    )


def markdown(facts: Facts) -> str:
    """For a file or an issue."""
    return ticket_form.markdown(title(facts), _lead(facts), tuple(sections(facts)))


def text(facts: Facts) -> str:
    """For mail and chat."""
    return ticket_form.text(_lead(facts), tuple(sections(facts)))


def as_document(facts: Facts) -> dict[str, Any]:
    """For machines."""
    incident = facts.incident
    return {
        "format": FORMAT,
        "phase": facts.phase,
        "step": facts.step,
        "title": title(facts),
        "target": incident.target,
        "incident": incident.id,
        "fingerprint": incident.fingerprint,
        "rule": incident.rule,
        "check": incident.check,
        "severity": incident.severity,
        "controls": list(incident.controls),
        "state": incident.state,
        "reason": incident.reason,
        "why": ticket_words.why(incident.reason),
        "opened": stamp(incident.opened),
        "since": stamp(incident.since),
        "occurrence": incident.occurrence,
        "recurrences": incident.recurrences,
        "finding": None if facts.finding is None else dict(facts.finding),
        "tried": [_tried_document(one) for one in facts.tried],
        "stopped": facts.stopped,
        "commands": list(_commands(facts)),
        "approval": None
        if facts.approval is None
        else {"path": facts.approval[0], "text": facts.approval[1], "people": facts.people},
        "evidence": [
            {"entry": seq, "what": what, "commit": commit} for seq, what, commit in facts.evidence
        ],
        "fleet": facts.fleet,
    }


def sections(facts: Facts) -> Iterator[Section]:
    """The parts of it, in the order that a tired person needs them."""
    yield Section("What was seen", tuple(_seen(facts)))
    yield Section("What was tried", tuple(_tried(facts)))
    yield Section("Why it stopped", tuple(_stopped(facts)))
    yield Section("What you can do", tuple(_commands(facts)), exact=True)
    if facts.approval is not None:
        path, said = facts.approval
        yield Section(f"Approval, to sign as {path}", tuple(said.splitlines()), exact=True)
    yield Section("Evidence", tuple(_evidence(facts)))


def _lead(facts: Facts) -> Sequence[str]:
    lead = [ticket_words.why(facts.incident.reason)]
    if facts.step:
        lead.append(
            f"Nobody has acknowledged it so far: this is step {facts.step + 1} of the chain."
        )
    return lead


def _seen(facts: Facts) -> Iterator[str]:
    incident, finding = facts.incident, facts.finding
    yield f"rule {incident.rule}, check {incident.check}, severity {incident.severity}"
    yield f"on {incident.target}, failing since {stamp(incident.opened)}"
    if incident.recurrences:
        yield f"a verified fix did not hold {incident.recurrences} times"
    if incident.controls:
        yield f"controls: {', '.join(incident.controls)}"
    if finding is None:
        return
    for name in finding["failed"] or list(finding["expected"]):
        seen, wanted = finding["observed"].get(name), finding["expected"].get(name, "anything")
        yield f"{name}: {value(seen)} ({_kind(seen)}), expected {wanted}"
    if finding["reason"]:
        yield finding["reason"]


def _kind(seen: object) -> str:
    if seen is None:
        return "absent"
    names = {bool: "yes or no", int: "number", str: "text"}
    return names.get(type(seen), "list")


def _tried(facts: Facts) -> Iterator[str]:
    if not facts.tried:
        yield "Nothing was begun for this incident."
    for one in facts.tried:
        yield f"{one.at}  {one.runbook} ({one.tier}): {one.result}; rollback: {one.rollback}"
        yield from (f"    {step}" for step in one.steps)
        if one.reason:
            yield f"    {one.reason}"


def _stopped(facts: Facts) -> Iterator[str]:
    incident = facts.incident
    yield f"{incident.state} since {stamp(incident.since)}, reason {incident.reason}"
    if facts.stopped:
        yield facts.stopped
    if incident.until is not None:
        yield f"time alone ends it at {stamp(incident.until)}"


def _commands(facts: Facts) -> Iterator[str]:
    incident = facts.incident
    yield "# on the appliance: what it is, and why it stands still"
    yield f"reconciler explain {shlex.quote(clip(incident.rule))}"
    yield "reconciler guard explain"
    for seq, _, _ in facts.evidence[-1:]:
        yield f"reconciler evidence show {seq}"
    yield "# in the fleet repository: take it over, so that nobody else is called"
    yield f"reconciler acknowledge {incident.fingerprint} --as you@example.org"
    if facts.approval is not None:
        yield f"# or let {facts.runbook} run: {_yes(facts.people)}"
        yield f"reconciler approve {facts.runbook} --host {incident.target} --as you@example.org"
    yield "# when it is put right: look again at once"
    yield "reconciler run --once"


def _yes(people: int) -> str:
    if people < 2:
        return "this writes the file below; read it, and commit it signed"
    return f"this writes the file below; commit it signed; {people} people must agree with it"


def _evidence(facts: Facts) -> Iterator[str]:
    incident = facts.incident
    yield f"incident {incident.id}, fingerprint {incident.fingerprint}"
    yield f"desired state: fleet commit {facts.fleet}"
    for seq, what, commit in facts.evidence:
        yield f"entry {seq} ({what}), commit {commit}"


def _tried_document(one: Tried) -> dict[str, Any]:
    return {
        "intent": one.intent,
        "outcome": one.outcome,
        "commit": one.commit,
        "at": one.at,
        "tier": one.tier,
        "runbook": one.runbook,
        "result": one.result,
        "reason": one.reason,
        "rollback": one.rollback,
        "steps": list(one.steps),
    }
