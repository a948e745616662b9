"""`reconciler rehearse` as a service provider runs it: a fleet's own runbook, its own drift."""

import json
import shutil
from pathlib import Path

import pytest

from reconciler.cli import execute
from reconciler.desired.approve import pin_runbooks
from reconciler.testing.rehearsal import rehearse as module
from reconciler.testing.rehearsal.rehearse import Stage, jobs_of, rehearse
from tests.support.clinic import KNOWN_FAILS, OF_THE_HOST
from tests.support.image import PROJECT, Image
from tests.support.own_drift import DRIFT

RUNBOOK = """\
id: RB-ACME-001
title: Start the bridge
version: 1
platforms: [linux]
fixes: [LNX-AVL-002]
controls: ["hipaa:164.308(a)(7)(i)"]
mode: auto
risk: low
parameters:
  unit: {type: str, doc: The service., pattern: "[a-z-]{1,60}\\\\.service"}
steps:
  - id: start
    use: unit.start
    with: {unit: "{unit}"}
settle_s: 5
blast_radius: One service.
"""
LIE = RUNBOOK.replace(
    'use: unit.start\n    with: {unit: "{unit}"}',
    'use: wait.until\n    with: {unit: "{unit}", states: [inactive]}',
).replace("settle_s: 5", "settle_s: 0")


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    """A fleet whose own runbook is the remedy of a rule."""
    for part in ("policies", "runbooks", "hosts"):
        shutil.copytree(PROJECT / part, tmp_path / part)
    rule = tmp_path / "policies/rules/units-running.yaml"
    rule.write_text(rule.read_text().replace("RB-SERVICE-001", "RB-ACME-001"))
    approved = tmp_path / "runbooks/approved.yaml"
    approved.write_text(f"{approved.read_text()}  RB-ACME-001: sha256:{'0' * 64}\n")
    (tmp_path / "rehearsals").mkdir()
    (tmp_path / "rehearsals/RB-ACME-001.yaml").write_text(DRIFT)
    return tmp_path


def write(fleet: Path, runbook: str) -> None:
    (fleet / "runbooks/RB-ACME-001.yaml").write_text(runbook)
    pin_runbooks(fleet)


def test_a_runbook_of_a_fleet_is_rehearsed_and_one_that_lies_does_not_hold(
    fleet: Path, proven: Image
) -> None:
    stage = Stage(proven, KNOWN_FAILS | OF_THE_HOST)
    said: list[str] = []
    for runbook, held in ((RUNBOOK, True), (LIE, False)):
        write(fleet, runbook)
        work = [job for job in jobs_of("RB-ACME-001", fleet) if job.mode == "honest"]
        (trial,) = rehearse(work, stage, said.append)
        assert trial.held is held, trial.problems
    assert "results were [('RB-ACME-001', 'rolled_back')]" in trial.problems[0]
    assert said[:2] == ["acme-stopped: honest", "acme-stopped: honest"]


def test_the_command_boots_its_own_machines(
    rootfs: Image, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "FAULTS", ())
    image = rootfs.site_packages.parent
    assert execute(["rehearse", "RB-DISK-001", "--image", str(image), "--json"]) == 0
    told = capsys.readouterr()
    (trial,) = json.loads(told.out)["trials"]
    assert (trial["drift"], trial["mode"], trial["held"]) == ("disk-full", "honest", True)
    assert told.err == "booting a machine without drift\ndisk-full: honest\n"
