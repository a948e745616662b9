"""From a fault that software may not fix to a person and back, through the real ledger."""

from pathlib import Path

import pytest

from reconciler import load_settings
from reconciler.engine.appliance import read_ledger
from reconciler.engine.doctor.examine import diagnose
from reconciler.engine.past import recall_from
from reconciler.engine.tickets import escalation
from reconciler.engine.tickets.escalation import BUDGET_S
from reconciler.escalate.message import Lost, Message
from reconciler.escalate.post import Channel
from tests.support.calling import (
    add_channels,
    ask_a_person_first,
    documents,
    forbid,
    shelf,
    tickets,
    webhook,
)
from tests.support.drill import CLIENT, CLIENT_FILE, SYSCTL, Drill, break_sysctl, statuses
from tests.support.receivers import Inbox, serving

pytestmark = pytest.mark.integration


def write(drill: Drill, path: str, text: str) -> None:
    file = drill.site.fleet / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    drill.site.commit(f"Decide {path}", at=drill.clock.at)


def fingerprint_of(drill: Drill) -> str:
    home = load_settings(Path(drill.site.settings))
    (fingerprint,) = recall_from(read_ledger(home)).tickets.open
    return fingerprint


def test_a_ticket_shows_the_approval_that_lets_the_fix_run_and_ends_with_the_incident(
    drill: Drill,
) -> None:
    directory = shelf(drill)
    ask_a_person_first(drill)
    break_sysctl(drill.machine)

    drill.run()
    drill.run()
    (document,) = documents(directory)
    ticket = document["ticket"]
    assert (document["phase"], ticket["rule"], ticket["reason"]) == ("opened", SYSCTL, "approval")
    assert tickets(drill) == [("opened", "shelf"), ("sent", "shelf")]
    (markdown,) = directory.glob("*.md")
    assert ticket["approval"]["text"] in markdown.read_text()
    seqs = {record.entry.seq: record for record in drill.records()}
    for entry in ticket["evidence"]:
        assert seqs[entry["entry"]].commit == entry["commit"]

    said = ticket["approval"]["text"].replace("you@example.org", "engineer@msp.example")
    write(drill, ticket["approval"]["path"], said)
    healed = drill.run()
    assert statuses(healed)[SYSCTL] == "pass"
    assert [outcome.result for outcome in healed.outcomes] == ["healed"]

    drill.run(after_s=3700)
    drill.run()
    (document,) = documents(directory)
    assert document["phase"] == "closed"
    assert tickets(drill)[2:] == [("closed", "shelf"), ("sent", "shelf"), ("closed", None)]
    verification = drill.verify()
    assert verification.ok, verification.sentence


def test_a_chain_calls_the_next_until_a_signed_acknowledgement(drill: Drill) -> None:
    desk, chief = drill.site.directory / "desk", drill.site.directory / "chief"
    desk.mkdir()
    chief.mkdir()
    add_channels(
        drill,
        f"  desk: {{kind: file, directory: {desk}}}\n  chief: {{kind: file, directory: {chief}}}\n",
    )
    forbid(drill)
    chain = (
        "escalation:\n  - {after_min: 0, notify: [desk]}\n  - {after_min: 30, notify: [chief]}\n"
    )
    drill.edit(CLIENT_FILE, lambda text: text + chain)
    break_sysctl(drill.machine)

    drill.run()
    drill.run()
    assert (len(documents(desk)), len(documents(chief))) == (1, 0)
    assert documents(desk)[0]["ticket"]["reason"] == "allow_list"
    drill.run(after_s=1800)
    assert documents(chief)[0]["ticket"]["step"] == 1

    fingerprint = fingerprint_of(drill)
    day = drill.clock.at.date()
    path = f"acknowledgements/{CLIENT}/taken.yaml"
    said = f"id: taken\nincident: {fingerprint}\nby: engineer@msp.example\nuntil: {day}\n"
    write(drill, path, said)
    drill.run()
    drill.run()
    assert [phase for phase, _ in tickets(drill)][-1] == "acknowledged"
    drill.run(after_s=26 * 3600)
    assert [phase for phase, _ in tickets(drill)][-2:] == ["opened", "sent"], "its day is over"


def test_a_secret_that_cannot_be_read_is_a_problem_of_the_run_and_no_entry(drill: Drill) -> None:
    webhook(drill, "http://127.0.0.1:9/hook")
    (drill.site.directory / "webhook-secret").chmod(0o644)
    forbid(drill)
    break_sysctl(drill.machine)

    report = drill.run()

    (problem,) = [one for one in report.problems if one.part.startswith("tickets")]
    assert "notify.desk.secret" in problem.message
    assert drill.bodies("ticket") == []


@pytest.mark.enable_socket
def test_a_dead_channel_is_recorded_and_costs_the_healing_nothing(drill: Drill) -> None:
    with serving(Inbox()) as url:
        gone = url
    webhook(drill, gone)
    forbid(drill)
    break_sysctl(drill.machine)

    report = drill.run()

    assert report.seq is not None
    (problem,) = [one for one in report.problems if one.part == "tickets/desk"]
    assert "unreachable" in problem.message
    assert tickets(drill) == [("opened", "desk"), ("unsent", "desk")]
    (unsent,) = [body for body in drill.bodies("ticket") if body["phase"] == "unsent"]
    assert unsent["reason"] == "unreachable"
    assert drill.verify().ok


def test_without_channels_nothing_is_said_and_doctor_says_so(drill: Drill) -> None:
    forbid(drill)
    break_sysctl(drill.machine)
    drill.run()

    assert drill.bodies("ticket") == []
    found = {one.subject: one for one in diagnose(Path(drill.site.settings))}
    assert found["tickets"].state == "absent"


def test_doctor_says_of_each_channel_whether_it_could_be_used(drill: Drill) -> None:
    shelf(drill)
    drill.run()
    found = {one.subject: one for one in diagnose(Path(drill.site.settings))}
    assert found["tickets shelf"].state == "ok"

    (drill.site.directory / "shelf").rmdir()
    found = {one.subject: one for one in diagnose(Path(drill.site.settings))}
    assert found["tickets shelf"].state == "broken"
    assert found["tickets shelf"].hint


def test_slow_channels_share_one_budget_of_time(
    drill: Drill, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_channels(drill, "".join(f"  c{n}: {{kind: file, directory: .}}\n" for n in range(3)))
    forbid(drill)
    break_sysctl(drill.machine)

    def slow(_channel: Channel, _message: Message) -> Lost:
        drill.clock.pass_time(BUDGET_S + 1)
        return Lost("timeout")

    monkeypatch.setattr(escalation, "post", slow)
    for turn in ("c0", "c1", "c2"):
        drill.run(after_s=30)
        assert {channel for _, channel in tickets(drill)[-2:]} == {turn}, "one at a time"
