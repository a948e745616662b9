"""A ticket says everything that a person needs, ends, and nothing from a machine acts in it."""

import json
import re
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, get_args

import pytest

from reconciler.cli import COMMANDS
from reconciler.evidence.bodies import finding_body
from reconciler.guard.gate import GUARDS
from reconciler.model.plan import UnplannedReason
from reconciler.report import ticket, ticket_digest, ticket_end, ticket_words
from reconciler.report.approval_file import approval_text
from reconciler.report.ticket import Facts, Tried
from reconciler.report.ticket_form import MOST
from tests.support.desired_states import make_finding
from tests.support.ticketing import NOW, make_incident

HOSTILE = [
    "@octocat and @msp/oncall",
    "<!channel> <@U012AB3CD> <http://evil.example|click>",
    "[reset password](https://evil.example)",
    "```\n# Approved\n```",
    "````text",
    '<img src=x onerror="alert(1)"><script>alert(1)</script>',
    "fixes #1, closes evil/repo#2",
    "\x1b[31m\x00\u202e\u2028 red",
    "| a | b |\n|---|---|",
    "www.evil.example",
]
YAML = approval_text(
    name="incident-0123456789ab",
    approver="you@example.org",
    hosts={"frontdesk": "a" * 64},
    runbooks={"RB-TIME-001": "b" * 64},
    reason="incident 0123456789ab-1: time on clinic/frontdesk",
    issued_on=date(2026, 3, 2),
    expires=date(2026, 3, 9),
)


def make_facts(said: str = "chronyd is stopped", **changes: Any) -> Facts:
    finding = finding_body(make_finding())
    finding |= {
        "observed": {"active": False, "servers": [said], "offset_us": 7},
        "expected": {"active": "equals true", "servers": "not empty", "offset_us": "at most 5"},
        "failed": ["active", "servers", "offset_us"],
        "reason": said,
    }
    tried = Tried(
        intent=41,
        outcome=42,
        commit="e" * 40,
        at="2026-03-02T08:00:00.000Z",
        tier="L1",
        runbook="RB-TIME-001",
        result="rolled_back",
        reason=said,
        rollback="verified",
        steps=(f"start: failed, {said}",),
    )
    fields: dict[str, Any] = {
        "incident": make_incident(reason="approval", runbook="RB-TIME-001"),
        "phase": "opened",
        "step": 0,
        "finding": finding,
        "tried": (tried,),
        "stopped": f"approval: {said}",
        "approval": ("approvals/clinic/incident-0123456789ab.yaml", YAML),
        "runbook": "RB-TIME-001",
        "people": 1,
        "evidence": ((43, "run", "f" * 40),),
        "fleet": "c" * 40,
    }
    return Facts(**(fields | changes))


def outside_of_fences(text: str) -> str:
    kept, fence = [], ""
    for line in text.splitlines():
        ticks = re.match(r"`{3,}", line)
        if not fence and ticks:
            fence = ticks.group()
        elif fence and line == fence:
            fence = ""
        elif not fence:
            kept.append(line)
    assert not fence, "a fence is left open"
    return "\n".join(kept)


def test_it_says_what_was_seen_tried_why_it_stopped_and_what_to_do() -> None:
    said = ticket.markdown(make_facts())

    for words in (
        "clinic/frontdesk: time (medium) needs a person",
        "active: false (yes or no), expected equals true",
        "offset_us: 7 (number), expected at most 5",
        "RB-TIME-001 (L1): rolled_back; rollback: verified",
        "start: failed, chronyd is stopped",
        ticket_words.why("approval"),
        "escalated since 2026-03-02T09:00:00.000Z, reason approval",
        f"reconciler acknowledge {make_incident().fingerprint} --as",
        "entry 43 (run), commit " + "f" * 40,
        "fleet commit " + "c" * 40,
    ):
        assert words in said, words
        assert words in ticket.text(make_facts()) or words.startswith("clinic/"), words
    assert YAML in said
    assert YAML in ticket.text(make_facts())
    assert ticket.as_document(make_facts())["approval"]["text"] == YAML


def test_without_a_finding_a_try_or_an_approval_it_says_less() -> None:
    said = ticket.markdown(make_facts(finding=None, tried=(), stopped="", approval=None))

    assert "Nothing was begun for this incident." in said
    assert "Approval" not in said
    assert "2 people must agree" in ticket.markdown(make_facts(people=2))
    assert "this is step 3 of the chain" in ticket.text(make_facts(step=2))


def test_every_command_in_it_exists() -> None:
    lines = [
        line
        for said in (ticket.text(make_facts()), ticket_digest.text([make_incident()]))
        for line in said.splitlines()
        if line.startswith("reconciler ")
    ]
    assert len(lines) >= 6
    assert {line.split()[1] for line in lines} <= set(COMMANDS)


@pytest.mark.parametrize("hostile", HOSTILE)
def test_what_a_machine_says_stays_inside_fences(hostile: str) -> None:
    incident = make_incident(rule=f"units-running[{hostile}]", runbook="RB-TIME-001")
    said = ticket.markdown(make_facts(hostile, incident=incident))

    heading, *rest = outside_of_fences(said).splitlines()
    harmless = outside_of_fences(ticket.markdown(make_facts())).splitlines()[1:]
    quiet = replace(make_incident(), runbook="RB-TIME-001")
    expected = outside_of_fences(ticket.markdown(make_facts(incident=quiet))).splitlines()[1:]
    assert rest == expected
    assert len(rest) == len(harmless)
    for mark in ("@", "<", "](", "://", "`"):
        assert mark not in heading
    assert {char for char in said if not char.isprintable()} == {"\n"}


@pytest.mark.parametrize("hostile", HOSTILE)
def test_in_chat_and_mail_it_is_no_mention_link_or_tag(hostile: str) -> None:
    said = ticket.text(make_facts(hostile, approval=None))
    ours = ticket.text(make_facts("", approval=None))

    for mark in ("@", "<", ">", "](", "://", "`", "www."):
        assert said.count(mark) == ours.count(mark), mark
    digest = ticket_digest.text([make_incident(rule=f"r[{hostile}]")])
    assert "<" not in digest
    assert digest.count("@") == 1, "the placeholder of a principal"


def test_it_ends_however_much_there_is_to_say() -> None:
    tried = make_facts("x" * 5000).tried * 500
    facts = make_facts("y" * 100_000, tried=tried)

    for said in (ticket.markdown(facts), ticket.text(facts)):
        assert len(said.encode()) <= MOST
        assert YAML in said
        assert "more; the evidence has them all" in said


@pytest.mark.parametrize("length", [8, 60, 120])
def test_a_digest_names_every_incident_however_long_their_names_are(length: int) -> None:
    many = [make_incident(f"{number:04}{'n' * length}") for number in range(1000)]

    for said in (ticket_digest.text(many), ticket_digest.markdown("clinic/frontdesk", many)):
        assert len(said.encode()) <= MOST
        assert all(one.id in said or one.rule in said for one in many)
    assert len(ticket_digest.as_document("c/h", "opened", many)["incidents"]) == 1000


def test_the_end_says_what_has_ended() -> None:
    gone = [ticket_end.Gone("0123456789ab-1", "a" * 64, "time")]

    assert "clinic/frontdesk: time ended" in ticket_end.markdown("clinic/frontdesk", gone)
    assert "time (0123456789ab-1)" in ticket_end.text(gone)
    assert ticket_end.title("c/h", gone * 3) == "c/h: 3 incidents ended"
    assert ticket_end.as_document("c/h", gone)["incidents"][0]["rule"] == "time"


def test_a_document_is_json() -> None:
    facts = make_facts(HOSTILE[0])
    assert json.loads(json.dumps(ticket.as_document(facts)))["incident"] == facts.incident.id


def test_every_guard_and_every_reason_why_nothing_was_planned_has_a_sentence() -> None:
    names = {guard.name for guard in GUARDS} | set(get_args(UnplannedReason)) - {"observe"}
    assert len(names) > 20

    assert {name for name in names if not ticket_words.known(name)} == set()


def test_a_reason_without_a_sentence_is_named() -> None:
    incident = make_incident(reason="odd")
    assert not ticket_words.known("odd")
    assert "'odd'" in ticket.text(make_facts(incident=replace(incident, until=NOW + timedelta(1))))
