"""Whoever said it, no free text is signed as it came."""

import json
from dataclasses import replace
from typing import Any

from reconciler.evidence import bodies
from reconciler.model.finding import Finding
from reconciler.model.operation import OperationResult
from reconciler.model.outcome import Outcome, StepResult
from reconciler.model.own_words import own_words
from reconciler.model.plan import Action, Plan, Unplanned
from reconciler.model.quotable import Own
from reconciler.model.run import IntentStatus, NotDone, RunReport
from reconciler.model.verdict import Verdict
from tests.support.desired_states import make_desired, make_rule

WHO = "Gonzalez"
SAID = f"cannot open /srv/{WHO}.pdf of {WHO}, {WHO.lower()}@example.org, (555) 123-4567"
FINDING = Finding(
    rule="files",
    check="LNX-FILE-001",
    target="clinic/frontdesk",
    status="unknown",
    severity="low",
    controls=("hipaa:164.312(b)",),
    observed={"mounts": (f"/media/{WHO}", "/"), "label": f"{WHO}@example.org", "count": 3},
    expected={"count": "equals 3"},
    reason=SAID,
)
ACTION = Action(
    id="a" * 16,
    target="clinic/frontdesk",
    tier="L1",
    rules=("files",),
    runbook="RB-FILE-001",
    runbook_digest="b" * 64,
    params={},
)
STEP = StepResult("open", "command.run", (OperationResult(ok=False, reason=SAID, ms=7),))
OUTCOME = Outcome(
    action=ACTION.id,
    runbook=ACTION.runbook,
    rules=ACTION.rules,
    result="failed",
    reason=f"step open was not carried out: {SAID}",
    steps=(STEP,),
    undone=(STEP,),
    rollback="unverified",
    after={"files": FINDING},
    intent=4,
)
REPORT = RunReport(
    run="c" * 32,
    target="clinic/frontdesk",
    mode="enforce",
    findings=(FINDING,),
    before=(FINDING,),
    plan=Plan(actions=(ACTION,), unplanned=(Unplanned("files", "no-remedy"),), digest="d" * 64),
    outcomes=(OUTCOME,),
    not_done=(NotDone(ACTION, "denied", Verdict("deny", "precheck", SAID)),),
    intent=IntentStatus(None, 0, fetched=False, refused="unreachable", message=SAID),
    census={},
)


def texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for item in value.values() for text in texts(item)]
    if isinstance(value, list):
        return [text for item in value for text in texts(item)]
    return [value] if isinstance(value, str) else []


def test_no_body_holds_what_a_machine_said_of_a_person() -> None:
    made = [
        bodies.run_body(REPORT),
        bodies.outcome_body("c" * 32, OUTCOME),
        bodies.finding_body(FINDING),
        bodies.verdict_body(Verdict("defer", "precheck", SAID, 60)),
    ]

    for body in made:
        said = json.dumps(body)
        assert WHO.lower() not in said.lower()
        assert "123-4567" not in said
        assert "cannot open /srv/" in said, "what is harmless is lost"


def test_every_text_of_a_run_is_counted_where_it_was_withheld() -> None:
    counted = [text for text in texts(bodies.run_body(REPORT)) if "[withheld: " in text]

    # Reasons of a finding, of an action that was denied, of the refusal; and an address.
    assert len(counted) == 4


def test_the_types_of_observed_values_stay() -> None:
    observed = bodies.finding_body(FINDING)["observed"]

    assert observed == {
        "mounts": ["/media/…", "/"],
        "label": "[withheld: 1 word that may identify a person]",
        "count": 3,
    }


def test_what_the_desired_state_names_may_be_said_again() -> None:
    rule = make_rule("files", params={"path": f"/srv/{WHO}.pdf"})
    own = own_words(make_desired(rules=(rule,)), ["https://git.example/fleet.git"])
    finding = replace(FINDING, reason=f"/srv/{WHO}.pdf: no such file")
    status = replace(
        REPORT.intent, message="the server cannot be reached (https://git.example/fleet.git: lost)"
    )

    assert bodies.finding_body(finding, own)["reason"] == finding.reason
    assert bodies.finding_body(finding)["reason"].startswith("/srv/…: no such file")
    assert bodies.intent_status_body(status, own)["refused"]["message"] == status.message
    assert "git.example" not in str(bodies.intent_status_body(status))


def test_a_report_says_which_words_are_its_own() -> None:
    own = Own(words=frozenset({WHO}))
    finding = replace(FINDING, status="excepted", reason=f"{WHO} decides until (555) 123-4567")

    (body,) = bodies.run_body(replace(REPORT, findings=(finding,), own=own))["findings"]

    assert body["reason"].startswith(f"{WHO} decides until … [withheld: 2 words")
