"""`reconciler incidents` and `show`, and the bundle of an incident by its id."""

import json
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli import evidence_incident, incidents
from reconciler.errors import InputError
from reconciler.testing.fake_target import Fault
from tests.support.drill import SECRET, SYSCTL, Drill, break_secret, break_sysctl, new_drill
from tests.support.evidence_reading import call

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Drill:
    """One incident that is over, one whose fix lies, one that nobody may act on."""
    drill = new_drill(tmp_path_factory.mktemp("told"))
    break_sysctl(drill.machine)
    drill.run()
    drill.run(after_s=4000)
    drill.faults.append(Fault("lies"))
    break_secret(drill.machine)
    drill.run()
    return drill


def options(drill: Drill) -> list[str]:
    return ["--repository", drill.site.evidence, "--signers", drill.site.signers]


def listed(capsys: pytest.CaptureFixture[str], drill: Drill) -> Any:
    call(incidents.command, *options(drill), "--all", "--json")
    return json.loads(capsys.readouterr().out)


def test_open_incidents_are_listed_with_state_reason_and_time(
    told: Drill, capsys: pytest.CaptureFixture[str]
) -> None:
    call(incidents.command, *options(told))
    text = capsys.readouterr().out

    assert text.splitlines()[0] == "example-clinic/workstation: 1 open incidents"
    assert f"{SECRET} (high): failed; cooling down" in text
    assert "(rolled-back) since 20" in text
    assert SYSCTL not in text


def test_the_appliance_itself_lists_also_what_is_over(
    told: Drill, capsys: pytest.CaptureFixture[str]
) -> None:
    call(incidents.command, "--config", told.site.settings, "--all")
    text = capsys.readouterr().out

    assert f"{SYSCTL}: closed 20" in text
    found = listed(capsys, told)
    assert [one["rule"] for one in found["open"]] == [SECRET]
    assert [(one["rule"], one["state"]) for one in found["ended"]] == [(SYSCTL, "closed")]


def test_a_story_names_every_step_with_its_entry_and_commit(
    told: Drill, capsys: pytest.CaptureFixture[str]
) -> None:
    (over,) = listed(capsys, told)["ended"]
    call(incidents.command, "show", over["id"], *options(told))
    text = capsys.readouterr().out
    call(incidents.command, "show", over["fingerprint"][:16], *options(told), "--json")
    document = json.loads(capsys.readouterr().out)

    records = {record.entry.seq: record for record in told.records()}
    assert [entry["kind"] for entry in document["entries"]] == ["intent", "outcome", "run"]
    for entry in document["entries"]:
        assert entry["commit"] == records[entry["seq"]].commit
        assert f"entry {entry['seq']} ({entry['kind']}, " in text
        assert entry["commit"] in text
    steps = [step["to"] for entry in document["entries"] for step in entry["incidents"]]
    assert steps == [
        *("detected", "confirmed", "planned", "admitted", "precheck", "executing"),
        *("verifying", "soak", "closed"),
    ]
    assert "RB-SYSCTL-001 by L1" in text
    assert "it held for the soak (held)" in text


@pytest.mark.parametrize("wanted", ["0123456789ab-1", "0123456789abcdef", "../x", ""])
def test_what_is_no_incident_is_an_error_that_says_so(told: Drill, wanted: str) -> None:
    with pytest.raises(InputError, match="no incident"):
        call(incidents.command, "show", wanted, *options(told))


def test_a_bundle_is_written_of_an_incident_by_its_id_or_fingerprint(
    told: Drill, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (over,) = listed(capsys, told)["ended"]
    intent = next(r.entry.seq for r in told.records() if r.entry.kind.value == "intent")
    for name in (over["id"], over["fingerprint"], str(intent)):
        call(evidence_incident.command, name, *options(told), "--out", str(tmp_path / name))
        document = json.loads((tmp_path / name / "incident.json").read_text())
        assert document["intent"] == intent


def test_there_is_no_bundle_of_what_nobody_acted_on(tmp_path: Path) -> None:
    drill = new_drill(tmp_path)
    break_sysctl(drill.machine)
    report = drill.run(stopping=lambda: True)
    (one,) = report.incidents

    with pytest.raises(InputError, match="nothing was done about") as caught:
        call(evidence_incident.command, one.id, *options(drill), "--out", str(tmp_path / "out"))
    assert f"incidents show {one.id}" in caught.value.hint
