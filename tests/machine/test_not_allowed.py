"""Fixes that nobody allowed: on a real machine with real drift, no guard lets them begin."""

import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.clinic import Clinic, with_steps
from tests.support.clinic_fleet import CLIENT, HOST
from tests.support.drifts import DRIFTS, begin
from tests.support.guest import Guest
from tests.support.image import PROJECT, Image

STOPPED = DRIFTS["service-stopped"]
PORTAL = "units-running[portal]"


@pytest.fixture(scope="module")
def stopped(proven: Image) -> Iterator[Clinic]:
    """A clinic whose portal was stopped; nothing in these tests may start it."""
    with Guest.boot(proven, "stopped") as guest:
        guest.wait_for_clock()
        clinic = Clinic(guest)
        begin(STOPPED, guest)
        yield clinic


@contextmanager
def for_now(clinic: Clinic) -> Iterator[None]:
    """What is changed in the fleet meanwhile is changed back, in a signed commit."""
    fleet = clinic.site.made.fleet
    before = {path: path.read_bytes() for path in files(fleet)}
    try:
        yield
    finally:
        for path in files(fleet):
            if path not in before:
                path.unlink()
        for path, content in before.items():
            path.write_bytes(content)
        clinic.site.commit("Change it back")


def files(fleet: Path) -> list[Path]:
    return [p for part in ("hosts", "policies", "runbooks") for p in (fleet / part).rglob("*.yaml")]


def still_stopped(clinic: Clinic) -> bool:
    shown = clinic.guest.run("systemctl", "is-active", "clinic-bridge.service", check=False)
    return shown.stdout == "inactive\n"


SWITCH = "kill_switch: {engaged: true, reason: An incident is looked into.}\n"


class TestNotAllowed:
    def test_runbook_that_was_edited_after_its_approval_does_not_run(self, clinic: Clinic) -> None:
        clinic.run_once()
        text = 'steps:\n  - id: harm\n    use: unit.mask\n    with: {unit: "{unit}"}\n'
        clinic.edit_runbook("RB-SERVICE-001", with_steps(text), approve=False)
        begin(STOPPED, clinic.guest)

        run = clinic.run_once()

        assert run.code == 5
        assert run.document["desired"]["refused"] == "policy-invalid"
        assert "runbooks/approved.yaml" in run.document["desired"]["message"]
        # The last accepted state stays in force, and with it the runbook that was approved.
        assert run.results() == [("RB-SERVICE-001", "healed")]
        (intent,) = clinic.entries("intent")
        approved = hashlib.sha256((PROJECT / "runbooks/RB-SERVICE-001.yaml").read_bytes())
        assert intent["action"]["runbook_digest"] == approved.hexdigest()

    @pytest.mark.parametrize(
        ("path", "change", "guard", "reason"),
        [
            (
                "runbooks/approved.yaml",
                lambda text: re.sub("  RB-SERVICE-001: .*\n", "", text),
                "allow_list",
                "RB-SERVICE-001 as it is now is not approved",
            ),
            (
                f"hosts/{CLIENT}/{HOST}.yaml",
                lambda text: text + SWITCH,
                "kill_switch",
                "kill switch engaged (host: An incident is looked into.)",
            ),
            (
                f"hosts/{CLIENT}/client.yaml",
                lambda text: text + SWITCH,
                "kill_switch",
                "kill switch engaged (client: An incident is looked into.)",
            ),
            (
                "policies/kill-switch.yaml",
                lambda _text: "engaged: true\nreason: An incident is looked into.\n",
                "kill_switch",
                "kill switch engaged (fleet: An incident is looked into.)",
            ),
            (
                f"hosts/{CLIENT}/client.yaml",
                lambda text: text + "denied_runbooks: [RB-SERVICE-001]\n",
                "allow_list",
                "the client denies RB-SERVICE-001",
            ),
        ],
        ids=["not-approved", "host-switch", "client-switch", "fleet-switch", "denied"],
    )
    def test_guard_stops_it(
        self,
        stopped: Clinic,
        path: str,
        change: Callable[[str], str],
        guard: str,
        reason: str,
    ) -> None:
        with for_now(stopped):
            stopped.site.edit(path, change)
            run = stopped.run_once()
        assert run.planned() == ["RB-SERVICE-001"]
        assert run.results() == []
        denied = run.turned_away("RB-SERVICE-001")
        assert (denied["result"], denied["guard"], denied["reason"]) == ("denied", guard, reason)
        assert run.after(PORTAL)["status"] == "fail"
        assert still_stopped(stopped)
        assert stopped.entries("intent") == []

    @pytest.mark.parametrize("path", [f"hosts/{CLIENT}/{HOST}.yaml", f"hosts/{CLIENT}/client.yaml"])
    def test_in_observe_mode_nothing_is_even_planned(self, stopped: Clinic, path: str) -> None:
        with for_now(stopped):
            stopped.site.edit(path, lambda text: text.replace("mode: enforce", "mode: observe", 1))
            run = stopped.run_once()
        assert run.document["mode"] == "observe"
        assert (run.planned(), run.results()) == ([], [])
        unplanned = {left["rule"]: left["reason"] for left in run.document["plan"]["unplanned"]}
        assert unplanned[PORTAL] == "observe"
        assert still_stopped(stopped)

    @pytest.mark.parametrize(
        ("step", "reason"),
        [
            (
                "unit.stop\n    with: {unit: ssh.service}",
                "would cut the access path: unit:ssh.service",
            ),
            (
                "unit.mask\n    with: {unit: sshd.service}",
                "would cut the access path: unit:ssh.service",
            ),
            (
                "file.ensure\n    with: {path: /etc/ssh/sshd_config, content: Port 2222}",
                "changes the access path unguarded: file:/etc/ssh",
            ),
        ],
        ids=["stop", "mask-alias", "replace-file"],
    )
    def test_runbook_may_not_cut_the_way_in(self, stopped: Clinic, step: str, reason: str) -> None:
        with for_now(stopped):
            text = f"steps:\n  - id: cut\n    use: {step}\n"
            stopped.edit_runbook("RB-SERVICE-001", with_steps(text))
            run = stopped.run_once()
        denied = run.turned_away("RB-SERVICE-001")
        assert (denied["guard"], denied["reason"]) == ("access_path_safe", reason)
        assert stopped.guest.ssh("id", "-un") == "clinicadmin\n"
        assert stopped.entries("intent") == []
