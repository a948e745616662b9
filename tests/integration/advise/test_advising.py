"""Tier L2 in a whole run: settings, consent, question, choice, guards, intent, outcome, ledger."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.desired.approve import pin_runbooks
from reconciler.errors import InputError
from reconciler.guard.advice_budget import endpoint_key
from reconciler.testing.fake_llm import FakeLLM, refuses, sends, serve, well
from tests.support.advised import (
    CONSENT,
    DENIED,
    GOOD,
    KEY,
    MODEL,
    UNAPPROVED,
    USELESS,
    broken,
    by_runbook,
    incident_state,
    new_advised,
)
from tests.support.drill import CLIENT_FILE, SERVICE, Drill, statuses

pytestmark = [pytest.mark.integration, pytest.mark.enable_socket]


@pytest.fixture
def llm() -> Iterator[FakeLLM]:
    with serve(well(by_runbook(GOOD))) as running:
        yield running


@pytest.fixture
def drill(tmp_path: Path, llm: FakeLLM) -> Drill:
    return broken(new_advised(tmp_path / "var", llm.base_url))


def results(drill: Drill) -> list[str]:
    return [body["result"] for body in drill.bodies("advice") if body["phase"] == "answered"]


def test_a_choice_is_asked_recorded_guarded_carried_out_and_verified(
    drill: Drill, llm: FakeLLM
) -> None:
    report = drill.run()

    assert statuses(report)[SERVICE] == "pass"
    (action,) = report.plan.actions
    assert (action.tier, action.runbook, action.rules) == ("L2", GOOD, (SERVICE,))
    assert [outcome.result for outcome in report.outcomes] == ["healed"]
    kinds = drill.kinds()
    assert [k for k in kinds if k not in {"genesis", "checkpoint"}][-5:] == [
        "advice", "advice", "intent", "outcome", "run",
    ]  # fmt: skip
    assert drill.verify().ok
    assert len(llm.requests) == 1


def test_the_entries_say_what_was_asked_before_and_what_it_was_worth_after(
    drill: Drill, llm: FakeLLM
) -> None:
    drill.run()
    asked, answered = drill.bodies("advice")
    (request,) = llm.requests

    said = [message["content"] for message in request.body["messages"]]
    assert asked["prompt"] == "\n\n".join(said)
    assert {one["runbook"] for one in asked["candidates"]} == {GOOD, USELESS}
    assert asked["level"] == "json-schema"
    assert answered["result"] == "accepted"
    assert (answered["tokens"], answered["cost_microusd"]) == (
        {"prompt": 400, "completion": 20},
        72,
    )
    records = [r for r in drill.records() if r.entry.kind.value == "advice"]
    assert answered["asked"] == {"seq": records[0].entry.seq, "sha256": records[0].digest}
    chosen = next(one for one in asked["candidates"] if one["id"] == answered["choice"])
    (intent,) = drill.bodies("intent")
    assert intent["action"]["id"] == chosen["action"]
    assert intent["action"]["params"] == chosen["params"] == {"unit": "bridge.service"}


def test_only_what_is_approved_and_not_denied_is_offered_and_nobody_is_named(
    drill: Drill, llm: FakeLLM
) -> None:
    drill.run()

    sent = json.dumps(llm.requests[0].body)
    assert UNAPPROVED not in sent
    assert DENIED not in sent
    assert "workstation" not in sent
    assert "clinic" not in sent
    assert "Family" not in sent


def test_the_key_is_nowhere_but_in_the_request(drill: Drill, llm: FakeLLM) -> None:
    report = drill.run()
    llm.behaviour = sends(KEY.encode(), 500)
    again = broken(drill).run(after_s=3600)

    assert KEY in str(llm.requests[0].headers)
    assert KEY not in repr(report) + repr(again)
    assert all(KEY not in str(record.entry) for record in drill.records())
    written = [f for f in drill.site.directory.rglob("*") if f.is_file() and f.name != "llm.key"]
    assert [f for f in written if KEY.encode() in f.read_bytes()] == []


@pytest.mark.parametrize(
    ("behaviour", "result"),
    [
        (well(lambda _data: "ESCALATE"), "escalate"),
        (well(by_runbook(GOOD), 10), "low-confidence"),
        (sends(b"nothing"), "invalid"),
        (sends(b"no", 503), "unreachable"),
    ],
    ids=["escalate", "unsure", "garbage", "error"],
)
def test_everything_else_is_a_persons_and_is_not_asked_again(
    drill: Drill, llm: FakeLLM, behaviour: Any, result: str
) -> None:
    llm.behaviour = behaviour
    report = drill.run()

    assert report.outcomes == ()
    assert results(drill) == [result]
    assert incident_state(report) == f"escalated advice-{result}"
    for _again in range(3):
        report = drill.run(after_s=4 * 3600)
    assert len(llm.requests) == 1
    assert incident_state(report) == f"escalated advice-{result}"


def test_a_useless_choice_runs_and_the_second_look_says_so(drill: Drill, llm: FakeLLM) -> None:
    llm.behaviour = well(by_runbook(USELESS))
    report = drill.run()

    assert [outcome.result for outcome in report.outcomes] in (["failed"], ["rolled_back"])
    assert statuses(report)[SERVICE] == "fail"


def test_a_form_that_the_endpoint_refuses_is_asked_once_less_strictly_and_that_is_remembered(
    drill: Drill, llm: FakeLLM
) -> None:
    llm.behaviour = refuses(["json_schema"], well(by_runbook(GOOD)))
    assert [outcome.result for outcome in drill.run().outcomes] == ["healed"]
    assert [request.form for request in llm.requests] == ["json_schema", "json_object"]
    assert results(drill) == ["invalid", "accepted"]

    budget = drill.bodies("run")[-1]["memory"]["advice"]
    key = endpoint_key(f"compatible {llm.base_url}", MODEL)
    assert budget["endpoints"][key]["level"] == "json-object-schema"
    assert budget["today"] == 2


def test_who_knows_no_form_is_found_by_the_incidents_after(tmp_path: Path, llm: FakeLLM) -> None:
    llm.behaviour = refuses(["json_schema", "json_object"], well(by_runbook(GOOD)))
    guards = "advice: {per_incident: 5}\n"
    drill = broken(new_advised(tmp_path / "var", llm.base_url, guards=guards))

    first = drill.run()
    assert incident_state(first) == "escalated advice-invalid"
    drill.machine.units["bridge.service"].active = "active"
    drill.run()
    second = broken(drill).run()
    assert [outcome.result for outcome in second.outcomes] == ["healed"]
    assert [request.form for request in llm.requests] == [
        "json_schema", "json_object", "json_object", "text",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "why",
    ["no consent", "no agreement", "no word", "tier", "observe", "kill switch", "settings"],
)
def test_without_every_yes_nobody_is_asked_and_nothing_is_wrong(
    drill: Drill, llm: FakeLLM, why: str
) -> None:
    changes = {
        "no consent": (CONSENT, CONSENT.replace("consent: true", "consent: false")),
        "no agreement": (CONSENT, CONSENT.replace("agreement: true", "agreement: false")),
        "no word": (CONSENT, ""),
        "tier": ("tier: enterprise", "tier: professional"),
        "observe": ("mode: enforce", "mode: observe"),
        "kill switch": (CONSENT, f"{CONSENT}kill_switch: {{engaged: true, reason: moving}}\n"),
    }
    if why == "settings":
        file = Path(drill.site.settings)
        file.write_text(file.read_text().partition("advise:")[0])
    else:
        old, new = changes[why]
        drill.edit(CLIENT_FILE, lambda text: text.replace(old, new))

    report = drill.run()

    assert statuses(report)[SERVICE] == "fail"
    assert llm.requests == []
    assert drill.bodies("advice") == []
    assert report.outcomes == ()
    assert [one.part for one in report.problems if one.part == "advice"] == []


def test_a_choice_that_must_wait_is_proposed_again_and_not_asked_for_again(
    drill: Drill, llm: FakeLLM
) -> None:
    runbook = drill.site.fleet / f"runbooks/{GOOD}.yaml"
    runbook.write_text(runbook.read_text().replace("mode: auto", "mode: approve"))
    pin_runbooks(drill.site.fleet)
    drill.site.commit("Let a person say yes", at=drill.clock.at)

    for _run in range(2):
        report = drill.run()
        assert incident_state(report) == "awaiting_approval approval"
        assert [action.tier for action in report.plan.actions] == ["L2"]
    runbook.write_text(runbook.read_text().replace("mode: approve", "mode: auto"))
    pin_runbooks(drill.site.fleet)
    drill.site.commit("Let it run", at=drill.clock.at)

    # It is another runbook now, so it is another question.
    assert [outcome.result for outcome in drill.run().outcomes] == ["healed"]
    assert len(llm.requests) == 2


@pytest.mark.parametrize("why", ["kill switch", "key"])
def test_a_choice_stands_while_nobody_may_be_asked(drill: Drill, llm: FakeLLM, why: str) -> None:
    runbook = drill.site.fleet / f"runbooks/{GOOD}.yaml"
    runbook.write_text(runbook.read_text().replace("mode: auto", "mode: approve"))
    pin_runbooks(drill.site.fleet)
    drill.site.commit("Let a person say yes", at=drill.clock.at)
    assert incident_state(drill.run()) == "awaiting_approval approval"
    if why == "key":
        (drill.site.directory / "llm.key").unlink()
    else:
        stop = f"{CONSENT}kill_switch: {{engaged: true, reason: moving}}\n"
        drill.edit(CLIENT_FILE, lambda text: text.replace(CONSENT, stop))

    report = drill.run()

    assert [left.action.tier for left in report.not_done] == ["L2"]
    assert incident_state(report) == "awaiting_approval approval", "what it waits for is the same"
    assert len(llm.requests) == 1


def test_a_dry_run_asks_nobody(drill: Drill, llm: FakeLLM) -> None:
    assert statuses(drill.run(dry_run=True))[SERVICE] == "fail"
    assert llm.requests == []


def test_a_key_that_cannot_be_read_is_said_and_stops_nothing(drill: Drill, llm: FakeLLM) -> None:
    (drill.site.directory / "llm.key").unlink()
    report = drill.run()

    (problem,) = [one for one in report.problems if one.part == "advice"]
    assert "advise.key" in problem.message
    assert llm.requests == []
    assert incident_state(report) == "escalated no-remedy"
    assert drill.verify().ok


@pytest.mark.parametrize("lost", [ImportError("httpx2"), InputError("ca_file", hint="x")], ids=str)
def test_what_goes_away_after_the_question_was_recorded_stops_no_run(
    drill: Drill, llm: FakeLLM, monkeypatch: pytest.MonkeyPatch, lost: Exception
) -> None:
    def gone(*_: Any, **__: Any) -> Any:
        raise lost

    monkeypatch.setattr("reconciler.advise.ask._ask", gone)
    report = drill.run()

    assert incident_state(report) == "escalated advice-unreachable"
    assert results(drill) == ["unreachable"]
    assert llm.requests == []


def test_a_crash_between_question_and_answer_counts_as_a_question(
    tmp_path: Path, llm: FakeLLM
) -> None:
    guards = "advice: {per_incident: 1}\n"
    drill = broken(new_advised(tmp_path / "var", llm.base_url, guards=guards))

    def crash(where: str) -> None:
        if where == "asking":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        drill.run(hook=crash)
    report = drill.run()

    assert llm.requests == []
    assert [body["phase"] for body in drill.bodies("advice")] == ["asked"]
    assert incident_state(report) == "escalated advice-over-budget"
    assert drill.verify().ok
