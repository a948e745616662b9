"""A daemon that is renewed in the midst of an action: finished, recorded, and then another one."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.clinic import Clinic
from tests.support.clinic_fleet import HOME
from tests.support.nix_runtime import NixStore, open_nix
from tests.support.reconciler_module import MINIMAL, Evaluation

pytestmark = pytest.mark.machine

UNIT = "reconciler.service"
BRIDGE = "clinic-bridge.service"
ACTING = "{ services.reconciler.helper.enable = false; }"
"""The guest has no helper: the daemon carries steps out itself."""
HERE = """\
[Service]
ExecStart=
ExecStart={program} run --config {home}/reconciler.yaml
RestartSec=1
"""


def install(clinic: Clinic, unit: str) -> None:
    """The unit as the module writes it, for the program and the settings of the guest."""
    settings = clinic.site.made.settings
    faster = settings.read_text().replace("interval_s: 300", "interval_s: 5\njitter_s: 0")
    settings.write_text(faster)
    program = clinic.guest.run("sh", "-c", "command -v reconciler").stdout.strip()
    clinic.guest.write(f"/etc/systemd/system/{UNIT}", unit)
    drop_in = HERE.format(program=program, home=HOME)
    clinic.guest.write(f"/etc/systemd/system/{UNIT}.d/here.conf", drop_in)
    clinic.guest.run("systemctl", "daemon-reload")


def begin_a_long_action(clinic: Clinic) -> None:
    """Kill a unit that takes a while to start, and wait until somebody set out to start it."""
    slow = "[Service]\nExecStartPre=/bin/sleep 8\n"
    clinic.guest.write(f"/etc/systemd/system/{BRIDGE}.d/slow.conf", slow)
    clinic.guest.run("systemctl", "daemon-reload")
    clinic.guest.run("systemctl", "kill", "--signal=KILL", BRIDGE)
    until(lambda: len(clinic.entries("intent")) == 1, "an intent")


def shown(clinic: Clinic, name: str) -> str:
    return clinic.guest.run("systemctl", "show", "--value", "-p", name, UNIT).stdout.strip()


def until(what: Callable[[], bool], story: str, timeout_s: float = 90) -> None:
    deadline = time.monotonic() + timeout_s
    while not what():
        assert time.monotonic() < deadline, f"not in {timeout_s:g} s: {story}"
        time.sleep(0.1)


def test_what_is_in_hand_is_finished_and_recorded_before_the_new_one_starts(
    clinic: Clinic, tmp_path: Path
) -> None:
    host = Evaluation(NixStore(open_nix(), tmp_path / "nix"), MINIMAL, ACTING)
    install(clinic, host.units()[UNIT])
    renew = host.get("config.systemd.services.reconciler-renew.serviceConfig.ExecStart")
    command = ["systemctl", *renew.split()[1:]]
    clinic.guest.run("systemctl", "start", UNIT)
    until(lambda: len(clinic.entries("run")) >= 1, "a first run")
    before = shown(clinic, "MainPID")
    begin_a_long_action(clinic)
    assert clinic.entries("outcome") == []

    clinic.guest.run(*command)

    assert shown(clinic, "ActiveState") == "active", "who asks whether it is well hears yes"
    assert clinic.entries("outcome") == [], "the action goes on"
    until(lambda: shown(clinic, "MainPID") not in (before, "0"), "another one runs")
    (outcome,) = clinic.entries("outcome")
    assert outcome["result"] == "healed"
    until(lambda: shown(clinic, "ActiveState") == "active", "it is ready")
    assert clinic.verify()["branches"][0]["open_intents"] in (0, [])
