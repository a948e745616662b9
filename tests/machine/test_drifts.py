"""Drift in the real guest: the rehearsal's own trials, and what several drifts need together.

Every drift is tried honestly; faults on three runbooks of different kinds. All of it, as committed
in docs/coverage.md, is ``reconciler rehearse --all``.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from reconciler.testing.rehearsal.practice import Practice, Subject
from reconciler.testing.rehearsal.rehearse import Job, Stage, jobs
from reconciler.testing.rehearsal.trial import attempt
from tests.support.clinic import KNOWN_FAILS, KNOWN_UNKNOWNS, OF_THE_HOST, Clinic, Run
from tests.support.drifts import DRIFTS, begin, gone, shell
from tests.support.guest import Guest
from tests.support.image import Image

PROOF = "/var/lib/reconciler/restore-tests/nightly.json"
WITH_FAULTS = {"service-crashed", "stray-user", "ssh-root"}
JOBS = [
    job
    for job in jobs(DRIFTS.values(), Subject())
    if job.mode in {"honest", "people"} or job.drift.id in WITH_FAULTS
]


@pytest.fixture(scope="module")
def stage(proven: Image) -> Stage:
    return Stage(proven, KNOWN_FAILS | OF_THE_HOST)


@pytest.fixture(scope="module")
def lasting(stage: Stage) -> Iterator[Guest]:
    """One machine for drift that people take back."""
    with stage.machine("lasting") as guest:
        yield guest


def name(job: Job) -> str:
    return f"{job.drift.id}-{job.mode}"


def wrong(finding: Any) -> dict[str, object]:
    """The fields that were judged wrong, with what was seen."""
    return {field: finding["observed"][field] for field in finding["failed"]}


def with_status(run: Run, status: str) -> set[str]:
    return {f["rule"] for f in run.document["findings"] if f["status"] == status} - OF_THE_HOST


def test_healthy_machine_has_an_empty_plan_and_only_what_a_container_cannot_have(
    clinic: Clinic,
) -> None:
    for run in (clinic.dry_run(), clinic.run_once()):
        assert run.document["mode"] == "enforce"
        assert (run.planned(), run.results()) == ([], [])
        assert with_status(run, "fail") == KNOWN_FAILS
        assert with_status(run, "unknown") == KNOWN_UNKNOWNS
        assert with_status(run, "excepted") == set()
        assert with_status(run, "not_applicable") == {"audit-running", "audit-rules"}
        assert len(with_status(run, "pass")) >= 30
    assert clinic.verify()["branches"][0]["counts"] == {"genesis": 1, "run": 1}


@pytest.mark.parametrize("job", [job for job in JOBS if job.mode != "people"], ids=name)
def test_drift_is_healed_and_faults_end_as_they_must(stage: Stage, job: Job) -> None:
    with stage.machine("drift") as guest:
        practice = Practice(guest, "practice", job.subject)
        trial = attempt(job.drift, job.mode, practice, stage.known)
    assert trial.problems == ()


@pytest.mark.parametrize("job", [job for job in JOBS if job.mode == "people"], ids=name)
def test_drift_is_found_and_left_to_people(stage: Stage, lasting: Guest, job: Job) -> None:
    practice = Practice(lasting, job.drift.id, job.subject)
    assert attempt(job.drift, job.mode, practice, stage.known).problems == ()


def test_several_drifts_at_once_are_healed_in_order_of_severity(clinic: Clinic) -> None:
    drifts = [DRIFTS[name] for name in ("ssh-root", "service-stopped", "firewall-flushed")]
    for drift in drifts:
        begin(drift, clinic.guest)
    assert clinic.dry_run().planned() == ["RB-FW-001", "RB-SSH-001", "RB-SERVICE-001"]

    healing = clinic.run_once()

    assert [result for _, result in healing.results()] == ["healed"] * 3
    assert healing.left() == set()
    assert all(gone(drift, clinic.guest) for drift in drifts)
    assert clinic.guest.ssh("id", "-un") == "clinicadmin\n"
    found = {f["rule"]: f["status"] for body in clinic.entries("intent") for f in body["found"]}
    assert found == {rule: "fail" for drift in drifts for rule in drift.found}
    assert [line[0] for line in clinic.git_log().splitlines()] == ["G"] * 8


def test_access_that_nobody_declared_waits_for_a_person(clinic: Clinic) -> None:
    begin(DRIFTS["stray-user"], clinic.guest)

    run = clinic.run_once()

    assert (run.planned(), run.results()) == (["RB-KEYS-001"], [])
    denied = run.turned_away("RB-KEYS-001")
    assert (denied["result"], denied["guard"]) == ("denied", "approval")
    assert clinic.entries("intent") == []
    assert clinic.guest.run("id", "mallory").returncode == 0


def test_backup_that_does_not_restore_is_found_and_stays_a_finding(clinic: Clinic) -> None:
    rot = "for pack in data/*/*; do printf rot | dd of=$pack seek=64 bs=1 conv=notrunc; done"
    shell(clinic.guest, f"rm {PROOF}; cd /var/backups/restic-nightly; {rot}")

    run = clinic.run_once()

    assert run.found() == run.left() == {"restore-proven[nightly]"}
    assert wrong(run.before("restore-proven[nightly]")) == {"age_h": None, "files": None}
    assert run.outcome("RB-RESTORE-001")["result"] == "failed"
    assert "step restore-and-compare was not carried out" in run.outcome("RB-RESTORE-001")["reason"]
    check = ("restic", "-r", "/var/backups/restic-nightly", "--no-cache", "check", "--read-data")
    password = {"HOME": "/root", "RESTIC_PASSWORD_FILE": "/etc/restic/nightly.password"}
    assert clinic.guest.run(*check, env=password, check=False).returncode != 0
    left = "test ! -e /var/lib/reconciler/scratch/nightly && test ! -e " + PROOF
    assert clinic.guest.run("sh", "-c", left, check=False).returncode == 0

    second = clinic.run_once()
    assert second.results() == []
    assert second.turned_away("RB-RESTORE-001")["guard"] == "cooldown"
    clinic.verify()


def test_restore_test_waits_for_its_window(clinic: Clinic) -> None:
    shell(clinic.guest, f"rm {PROOF}")
    clinic.edit_client(
        lambda text: text[: text.index("windows:")] + text[text.index("contacts:") :]
    )

    run = clinic.run_once()

    assert run.planned() == ["RB-RESTORE-001"]
    assert run.results() == []
    turned_away = run.turned_away("RB-RESTORE-001")
    assert turned_away.pop("reason").startswith("waits for a maintenance window")
    assert turned_away | {"action": ""} == {
        "action": "",
        "runbook": "RB-RESTORE-001",
        "rules": ["restore-proven[nightly]"],
        "result": "deferred",
        "guard": "approval",
        "retry_after_s": None,
    }
    assert clinic.guest.run("test", "-e", PROOF, check=False).returncode == 1
