"""Drift in the real guest: found with the right value, healed in one run, proven by other tools."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.support.clinic import KNOWN_FAILS, KNOWN_UNKNOWNS, OF_THE_HOST, Clinic, Run
from tests.support.drifts import HEALED, Drift, shell
from tests.support.guest import Guest
from tests.support.image import Image
from tests.support.intrusions import FOUND, STRANGERS_PRINT

PROOF = "/var/lib/reconciler/restore-tests/nightly.json"


@pytest.fixture(scope="module")
def lasting(proven: Image) -> Iterator[Clinic]:
    """One clinic for drift that is only found; each test takes its own back."""
    with Guest.boot(proven, "lasting") as guest:
        guest.wait_for_clock()
        yield Clinic(guest)


def name(drift: Drift) -> str:
    return drift.name.replace(",", "").replace(" ", "-")


def seen(run: Run, drift: Drift) -> dict[str, dict[str, object]]:
    """What the first look judged wrong, in the shape of `Drift.found`."""
    return {rule: wrong(run.before(rule)) for rule in drift.found}


def wrong(finding: Mapping[str, Any]) -> dict[str, object]:
    """The fields that were judged wrong, with what was seen; of keys, the stranger's."""
    values = {field: finding["observed"][field] for field in finding["failed"]}
    if "fingerprints" in values:
        values["fingerprints"] = [key for key in values["fingerprints"] if key == STRANGERS_PRINT]
    return values


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
        assert with_status(run, "excepted") == {"anti-malware"}
        assert with_status(run, "not_applicable") == {"audit-running", "audit-rules"}
        assert len(with_status(run, "pass")) >= 30
    assert clinic.verify()["branches"][0]["counts"] == {"genesis": 1, "run": 1}


@pytest.mark.parametrize("drift", HEALED, ids=name)
def test_drift_is_found_healed_and_stays_healed(clinic: Clinic, drift: Drift) -> None:
    assert drift.gone(clinic.guest)
    drift.begin(clinic.guest)
    assert not drift.gone(clinic.guest)

    healing = clinic.run_once()
    assert healing.found() == set(drift.found)
    assert seen(healing, drift) == drift.found
    assert healing.results() == [(runbook, "healed") for runbook in drift.heals]
    assert healing.left() == set()
    assert drift.gone(clinic.guest)

    second = clinic.run_once()
    assert (second.planned(), second.found(), second.unknown()) == ([], set(), set())
    assert drift.gone(clinic.guest)
    acts = len(drift.heals)
    counts = clinic.verify()["branches"][0]["counts"]
    assert counts == {"genesis": 1, "intent": acts, "outcome": acts, "run": 2}
    assert [line[0] for line in clinic.git_log().splitlines()] == ["G"] * (3 + 2 * acts)


@pytest.mark.parametrize("drift", FOUND, ids=name)
def test_drift_is_found_and_left_to_people(lasting: Clinic, drift: Drift) -> None:
    assert drift.gone(lasting.guest)
    drift.begin(lasting.guest)
    try:
        run = lasting.run_once()
        assert not drift.gone(lasting.guest)
    finally:
        shell(lasting.guest, drift.undo)
    assert drift.gone(lasting.guest)

    assert run.found() == set(drift.found)
    assert seen(run, drift) == drift.found
    assert (run.code, run.planned(), run.results()) == (1, [], [])
    left = {unplanned["rule"] for unplanned in run.document["plan"]["unplanned"]}
    assert left >= drift.found.keys()


def test_several_drifts_at_once_are_healed_in_order_of_severity(clinic: Clinic) -> None:
    names = ("root may log in over ssh", "critical service stopped", "firewall flushed")
    drifts = [drift for drift in HEALED if drift.name in names]
    for drift in drifts:
        drift.begin(clinic.guest)
    assert clinic.dry_run().planned() == ["RB-FW-001", "RB-SSH-001", "RB-SERVICE-001"]

    healing = clinic.run_once()

    assert [result for _, result in healing.results()] == ["healed"] * 3
    assert healing.left() == set()
    assert all(drift.gone(clinic.guest) for drift in drifts)
    assert clinic.guest.ssh("id", "-un") == "clinicadmin\n"
    found = {f["rule"]: f["status"] for body in clinic.entries("intent") for f in body["found"]}
    assert found == {rule: "fail" for drift in drifts for rule in drift.found}


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
