"""``reconciler guard explain`` on a real ledger: what stops a repair, and when it will begin."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reconciler import load_settings
from reconciler.cli import execute
from reconciler.engine.inquiry.guards import explain_guards
from reconciler.errors import InputError, LedgerMissing
from reconciler.model.guard_answer import Answer, GuardAnswer
from reconciler.report.guards import as_document, render
from reconciler.testing.fake_target import Fault
from tests.support.drill import (
    CLIENT_FILE,
    HOST_FILE,
    SERVICE,
    SYSCTL,
    Drill,
    break_secret,
    break_service,
    break_sysctl,
)

pytestmark = pytest.mark.integration

RUNBOOK = "runbooks/RB-SYSCTL-001.yaml"


def asked(drill: Drill, subject: str | None = None) -> GuardAnswer:
    return explain_guards(load_settings(drill.site.made.settings), subject, clock=drill.clock)


def only(drill: Drill, subject: str | None = None) -> Answer:
    (answer,) = asked(drill, subject).answers
    return answer


def at(drill: Drill, hour: int, day: int = 0) -> datetime:
    """An hour of the drill's day, UTC; the clinic is in New York."""
    return drill.clock.at.replace(hour=hour, minute=0, second=0, microsecond=0) + timedelta(day)


def mode(drill: Drill, mode: str) -> None:
    from reconciler.desired.approve import pin_runbooks

    file = drill.site.fleet / RUNBOOK
    file.write_text(file.read_text().replace("mode: auto", f"mode: {mode}"))
    pin_runbooks(drill.site.fleet)
    drill.site.commit("Change the mode", at=drill.clock.at)


def replaced(old: str, new: str) -> Callable[[str], str]:
    return lambda text: text.replace(old, new)


def test_before_the_first_run_there_is_nothing_to_explain(drill: Drill) -> None:
    with pytest.raises(LedgerMissing, match="has not been a run yet"):
        asked(drill)


def test_where_nothing_fails_nothing_is_stopped(drill: Drill) -> None:
    drill.run()
    found = asked(drill)
    assert found.answers == ()
    assert "nothing fails" in render(found)


def test_a_kill_switch_names_the_person_and_the_rest_is_asked_all_the_same(drill: Drill) -> None:
    drill.edit(HOST_FILE, lambda text: text + "kill_switch: {engaged: true, reason: Move.}\n")
    break_sysctl(drill.machine)
    drill.run()

    found = asked(drill)
    (answer,) = found.answers

    assert (answer.rule, answer.runs_at) == (SYSCTL, None)
    assert [(v.guard, v.ruling) for v in answer.stops] == [("kill_switch", "deny")]
    assert len(answer.verdicts) > 10, "every guard is asked, not only up to the first"
    text = render(found)
    assert "not within 14 days, unless somebody does something about: kill_switch" in text
    assert f"hosts/{found.target}.yaml" in text
    assert only(drill, "RB-SYSCTL-001").rule == SYSCTL


def test_a_window_is_foreseen_and_then_it_runs(drill: Drill) -> None:
    mode(drill, "window")
    text = (drill.site.fleet / CLIENT_FILE).read_text()
    windows = text[text.index("windows:") : text.index("contacts:")]
    daily = (
        'windows:\n  - {days: [mon, tue, wed, thu, fri, sat, sun], start: "21:00", end: "23:00"}\n'
    )
    drill.edit(CLIENT_FILE, replaced(windows, daily))
    drill.clock.at = at(drill, 12)
    break_sysctl(drill.machine)
    report = drill.run()
    assert [left.verdict.guard for left in report.not_done] == ["approval"]

    answer = only(drill)

    assert answer.runs_at is not None
    local = answer.runs_at.astimezone(UTC)
    assert local.minute == 0 and local.hour in {1, 2}, "21:00 in New York"
    assert answer.incident is not None and answer.incident.state == "waiting"
    command = "reconciler approve RB-SYSCTL-001 --host example-clinic/workstation --emergency"
    assert f"sooner:    {command} --as YOU" in render(asked(drill))
    drill.clock.at = answer.runs_at - timedelta(seconds=301)
    assert drill.run().outcomes == ()
    assert [one.result for one in drill.run(after_s=1).outcomes] == ["healed"]


def test_a_freeze_comes_before_the_window(drill: Drill) -> None:
    drill.clock.at = at(drill, 12)
    day = drill.clock.at.date()
    frozen = f"freeze:\n  - {{first: {day}, last: {day + timedelta(1)}, reason: Audit.}}\ncontacts:"
    drill.edit(CLIENT_FILE, replaced("contacts:", frozen))
    break_sysctl(drill.machine)
    drill.run()

    answer = only(drill)

    assert [v.guard for v in answer.verdicts if v.ruling != "allow"] == ["freeze"]
    assert answer.runs_at is not None
    assert answer.runs_at in {at(drill, 4, 2), at(drill, 5, 2)}, "midnight in New York"


def test_an_approval_is_a_persons_and_the_command_is_said(drill: Drill) -> None:
    mode(drill, "approve")
    break_sysctl(drill.machine)
    drill.run()

    found = asked(drill)
    (answer,) = found.answers

    assert answer.runs_at is None
    assert answer.incident is not None and answer.incident.state == "awaiting_approval"
    assert (
        "do:        If it may run: reconciler approve RB-SYSCTL-001 "
        "--host example-clinic/workstation --as YOU"
    ) in render(found)
    assert only(drill, answer.incident.id) == answer
    assert only(drill, answer.incident.fingerprint) == answer


def test_after_a_failure_it_says_when_it_has_cooled_down(drill: Drill) -> None:
    break_service(drill.machine)
    drill.faults.append(Fault("lies"))
    drill.run()
    answer = only(drill)
    waits = [v for v in answer.verdicts if v.guard == "cooldown"]
    assert [v.ruling for v in waits] == ["defer"]
    assert answer.runs_at is not None and waits[0].retry_after_s is not None
    assert answer.runs_at >= drill.clock.at + timedelta(seconds=waits[0].retry_after_s)


def test_what_spends_the_last_token_makes_the_next_one_wait(drill: Drill) -> None:
    drill.edit("policies/guards.yaml", lambda _old: "tokens: {host: 1}\n")
    drill.edit(HOST_FILE, lambda text: text + "kill_switch: {engaged: true, reason: Move.}\n")
    for spoil in (break_sysctl, break_service, break_secret):
        spoil(drill.machine)
    drill.run()
    drill.edit(HOST_FILE, replaced("kill_switch: {engaged: true", "kill_switch: {engaged: false"))
    stopped = asked(drill)
    assert {answer.runs_at for answer in stopped.answers} == {None}, "the accepted state counts"
    report = drill.run()
    assert len(report.outcomes) == 1

    times = sorted(answer.runs_at for answer in asked(drill).answers if answer.runs_at)

    assert len(times) == 2
    assert times[1] - times[0] == timedelta(seconds=900)
    assert timedelta(seconds=800) < times[0] - drill.clock.at <= timedelta(seconds=900)


def test_the_newest_run_may_repeat_an_older_one(drill: Drill) -> None:
    mode(drill, "approve")
    break_sysctl(drill.machine)
    for _ in range(3):
        drill.run()
    found = asked(drill)
    assert found.confirmed_at >= found.seen_at
    assert drill.clock.at - found.confirmed_at < timedelta(minutes=1)
    assert [answer.rule for answer in found.answers] == [SYSCTL]


def test_what_nothing_answers_is_a_persons(drill: Drill) -> None:
    def without_remedy(text: str) -> str:
        return text[: text.index("remedy:")] + text[text.index("note:") :]

    drill.edit("policies/rules/sysctl-syncookies.yaml", without_remedy)
    break_sysctl(drill.machine)
    drill.run()
    found = asked(drill)
    (answer,) = found.answers
    assert answer.unplanned is not None and answer.unplanned.reason == "no-remedy"
    assert "when:      never by itself: no-remedy" in render(found)
    assert "do:        No runbook answers it." in render(found)


def test_the_command_says_it_to_people_and_machines(
    drill: Drill, capsys: pytest.CaptureFixture[str]
) -> None:
    mode(drill, "approve")
    break_sysctl(drill.machine)
    break_service(drill.machine)
    drill.run()
    settings = ["--config", str(drill.site.made.settings)]

    assert execute(["guard", "explain", *settings]) == 0
    assert "1 rule fails" in capsys.readouterr().out
    assert execute(["guard", "explain", SYSCTL, "--json", *settings]) == 0
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    (finding,) = document["findings"]
    assert finding["rule"] == SYSCTL and finding["runs_at"] is None
    assert finding["action"]["runbook"] == "RB-SYSCTL-001"
    assert [stop["guard"] for stop in finding["stops"]] == ["approval"]
    assert document == as_document(asked(drill, SYSCTL)) | {"asked_at": document["asked_at"]}
    assert execute(["guard", "explain", "ssh-rot-login", *settings]) == 5
    with pytest.raises(InputError, match="nothing that fails on this host is called"):
        asked(drill, SERVICE)
