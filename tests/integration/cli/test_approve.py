"""``reconciler approve`` in a fleet's work tree, all the way to what the appliance then does."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli import execute
from reconciler.desired.approve import pin_runbooks
from reconciler.errors import ExitCode
from reconciler.model.run import RunReport
from tests.support.drill import (
    CLIENT,
    CLIENT_FILE,
    HOST,
    SYSCTL,
    Drill,
    break_secret,
    break_service,
    break_sysctl,
    new_drill,
)

pytestmark = pytest.mark.integration

RUNBOOK = "runbooks/RB-SYSCTL-001.yaml"
PERSON = "engineer@msp.example"
COOKIES = "net.ipv4.tcp_syncookies"


@pytest.fixture
def drill(tmp_path: Path) -> Drill:
    # The command has the clock of this machine: the drill lives at the same time.
    now = datetime.now(UTC)
    found = new_drill(tmp_path / "var", at=now - timedelta(minutes=10))
    found.clock.at = now
    return found


def edit_runbook(drill: Drill, *edits: tuple[str, str]) -> None:
    file = drill.site.fleet / RUNBOOK
    text = file.read_text()
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    file.write_text(text)
    pin_runbooks(drill.site.fleet)
    drill.site.commit("Change the runbook", at=drill.clock.at)


def approve(drill: Drill, *arguments: str) -> int:
    fleet = ["--fleet", str(drill.site.fleet), "--as", PERSON]
    return execute(["approve", *arguments, *fleet])


def committed(drill: Drill) -> None:
    drill.site.commit("Approve it", at=drill.clock.at)


def results(report: RunReport) -> list[str]:
    return [outcome.result for outcome in report.outcomes]


def said_by(drill: Drill, guard: str) -> str:
    """What a guard said in the newest intent."""
    verdicts = drill.bodies("intent")[-1]["verdicts"]
    return next(str(one["reason"]) for one in verdicts if one["guard"] == guard)


def test_a_runbook_that_asks_runs_once_what_was_written_is_signed(
    drill: Drill, capsys: pytest.CaptureFixture[str]
) -> None:
    edit_runbook(drill, ("mode: auto", "mode: approve"))
    break_sysctl(drill.machine)
    assert results(drill.run()) == []

    assert approve(drill, "RB-SYSCTL-001", "--host", f"{CLIENT}/{HOST}", "--days", "3") == 0

    said = capsys.readouterr().out
    (file,) = (drill.site.fleet / "approvals" / CLIENT).iterdir()
    path = f"approvals/{CLIENT}/{file.name}"
    assert said.startswith(f"wrote {path}\n")
    assert f"  git add {path}\n" in said
    assert f'  git commit -S -m "Approve RB-SYSCTL-001" -- {path}\n' in said
    assert results(drill.run()) == [], "a file that nobody signed allows nothing"
    committed(drill)
    assert results(drill.run()) == ["healed"]
    assert said_by(drill, "approval").startswith(f"approval {file.stem} of {PERSON}, until ")
    assert approve(drill, "RB-SYSCTL-001") == ExitCode.INPUT, "it is there already"


def test_an_incident_is_approved_by_what_the_ticket_calls_it(
    drill: Drill, capsys: pytest.CaptureFixture[str]
) -> None:
    edit_runbook(drill, ("mode: auto", "mode: approve"))
    break_sysctl(drill.machine)
    report = drill.run()
    (incident,) = report.incidents
    assert incident.state == "awaiting_approval"
    evidence = ["--evidence", drill.site.evidence, "--signers", drill.site.signers]

    assert approve(drill, "0123456789ab-1", *evidence) == ExitCode.INPUT
    assert incident.id in capsys.readouterr().err, "what is open is named"
    assert approve(drill, incident.id, *evidence, "--json") == 0

    written: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert written["path"] == f"approvals/{CLIENT}/incident-{incident.fingerprint[:12]}.yaml"
    assert written["approval"]["reason"] == f"incident {incident.id}: {SYSCTL} on {CLIENT}/{HOST}"
    assert list(written["approval"]["runbooks"]) == ["RB-SYSCTL-001"]
    committed(drill)
    assert results(drill.run()) == ["healed"]


def frozen(drill: Drill) -> None:
    day = drill.clock.at.date()
    days = f"first: {day - timedelta(1)}, last: {day + timedelta(3)}, reason: An audit."
    drill.edit(CLIENT_FILE, lambda text: f"{text}freeze:\n  - {{{days}}}\n")


def test_an_emergency_goes_through_freeze_and_window_for_what_it_names(
    drill: Drill, capsys: pytest.CaptureFixture[str]
) -> None:
    edit_runbook(drill, ("mode: auto", "mode: window"))
    frozen(drill)
    break_sysctl(drill.machine)
    break_service(drill.machine)
    assert {left.verdict.guard for left in drill.run().not_done} == {"freeze"}

    assert approve(drill, "RB-SYSCTL-001", "--emergency") == 0
    assert "(emergency)" in capsys.readouterr().out
    committed(drill)
    report = drill.run()

    assert results(report) == ["healed"]
    assert drill.machine.sysctls[COOKIES] == "1"
    assert said_by(drill, "freeze").startswith("emergency: approval emergency-rb-sysctl-001-")
    (left,) = report.not_done
    assert (left.action.runbook, left.verdict.guard) == ("RB-SERVICE-001", "freeze")
    break_sysctl(drill.machine)
    late = drill.run(after_s=3 * 86_400)
    assert results(late) == []
    assert {left.verdict.guard for left in late.not_done} == {"freeze"}


def test_the_first_day_of_a_host_spends_one_token(drill: Drill) -> None:
    drill.edit("policies/guards.yaml", lambda _old: "tokens: {host: 1, host_refill_s: 7200}\n")
    for spoil in (break_sysctl, break_service, break_secret):
        spoil(drill.machine)

    assert approve(drill, "--onboarding", "--host", f"{CLIENT}/{HOST}") == 0
    committed(drill)

    assert results(drill.run()) == ["healed"] * 3
    for spoil in (break_sysctl, break_service, break_secret):
        spoil(drill.machine)
    assert results(drill.run(after_s=600)) == ["healed"] * 3, "under the same approval, too"


def test_without_it_one_token_is_one_action(drill: Drill) -> None:
    drill.edit("policies/guards.yaml", lambda _old: "tokens: {host: 1, host_refill_s: 7200}\n")
    for spoil in (break_sysctl, break_service, break_secret):
        spoil(drill.machine)
    report = drill.run()
    assert results(report) == ["healed"]
    assert [left.verdict.guard for left in report.not_done] == ["tokens"] * 2


def test_high_risk_is_denied_what_one_person_said(
    drill: Drill, capsys: pytest.CaptureFixture[str]
) -> None:
    edit_runbook(drill, ("mode: auto", "mode: approve"))
    assert approve(drill, "RB-SYSCTL-001") == 0
    (file,) = (drill.site.fleet / "approvals" / CLIENT).iterdir()
    edit_runbook(drill, ("risk: low", "risk: high"))
    file.unlink()
    capsys.readouterr()

    assert approve(drill, "RB-SYSCTL-001") == ExitCode.INPUT
    assert "high risk needs two people" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ([], ExitCode.USAGE),
        (["one", "two"], ExitCode.USAGE),
        (["RB-SYSCTL-001", "0123456789ab-1"], ExitCode.USAGE),
        (["RB-SYSCTL-001", "--days", "91"], ExitCode.USAGE),
        (["RB-SYSCTL-001"], ExitCode.INPUT),
        (["RB-NONE-001"], ExitCode.INPUT),
        (["RB-SYSCTL-001", "--emergency", "--host", "example-clinic/nobody"], ExitCode.INPUT),
    ],
)
def test_what_cannot_bind_is_refused(drill: Drill, arguments: list[str], code: int) -> None:
    assert approve(drill, *arguments) == code
    assert not (drill.site.fleet / "approvals").exists()
