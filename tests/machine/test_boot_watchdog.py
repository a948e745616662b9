"""The boot watchdog as the NixOS module writes it, in a real systemd, on a system nobody confirmed.

A machine that came up after `RebootInto` and in which the reconciler does not run has only this to
go back by: it restarts once, and the boot loader's default is what was proven.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.nix_runtime import NixStore, open_nix
from tests.support.nixos_base import documented
from tests.support.nixos_guest import NixosGuest, NixosSite
from tests.support.reconciler_module import COMPLETE, Evaluation

pytestmark = pytest.mark.nix

NAME = "reconciler-boot-watchdog"
AWAITING = "/var/lib/reconciler/activation/awaiting-boot"
SCRIPT = "/run/boot-watchdog.sh"


@pytest.fixture
def machine(nixos: NixosSite) -> Iterator[NixosGuest]:
    with nixos.boot("boot-watchdog") as guest:
        yield guest


@pytest.fixture
def host(tmp_path: Path) -> Evaluation:
    return Evaluation(NixStore(open_nix(), tmp_path / "nix"), COMPLETE)


def start(guest: NixosGuest, host: Evaluation) -> None:
    """Let the time be up: the timer of the module, which elapses this long after the boot."""
    units = host.units()
    service, timer = units[f"{NAME}.service"], units[f"{NAME}.timer"]
    script = host.get(f"config.systemd.services.{NAME}.script")
    of_systemd = host.get('"${config.systemd.package}/bin/systemctl"')
    assert of_systemd in script
    guest.write(SCRIPT, script.replace(of_systemd, "systemctl"))
    guest.write(f"/run/systemd/system/{NAME}.service", with_script(service))
    waits = f"OnBootSec={host.get('config.services.reconciler.system.watchdogS')}"
    assert waits in timer
    guest.write(f"/run/systemd/system/{NAME}.timer", timer.replace(waits, "OnBootSec=1"))
    guest.run("systemctl", "daemon-reload")
    guest.run("systemctl", "start", f"{NAME}.timer")


def with_script(service: str) -> str:
    stands_for_it = "ExecStart=/bin/sh -c true"
    assert stands_for_it in service
    return service.replace(stands_for_it, f"ExecStart=/bin/sh -e {SCRIPT}")


def awaits(guest: NixosGuest, system: str) -> None:
    guest.run("mkdir", "-p", AWAITING.rpartition("/")[0])
    guest.run("ln", "-sfn", system, AWAITING)


def test_it_goes_back_to_the_default_once(
    nixos: NixosSite, machine: NixosGuest, host: Evaluation
) -> None:
    newer = nixos.release(documented(nixos.base.with_service("labels", "ExecStart=/bin/sleep inf")))
    machine.fetch(newer, nixos.public_key)
    machine.set_profile(newer)
    machine.switch(nixos.base_path, "boot")
    entry = f"nixos-generation-{machine.generation()}.conf"
    machine.run("/run/current-system/sw/bin/bootctl", "set-oneshot", entry)
    awaits(machine, newer)
    machine.cut_power()
    machine.power_on()
    assert (machine.booted(), machine.boot_default()) == (newer, nixos.base_path)

    start(machine, host)
    machine.restart()
    assert machine.booted() == nixos.base_path

    start(machine, host)
    shown = f"systemctl show --property=ConditionResult,ExecMainCode,Result {NAME}.service"
    machine.until("sh", "-c", f"{shown} | grep -q ExecMainCode=1")
    ended = machine.run("sh", "-c", shown).stdout.split()
    assert sorted(ended) == ["ConditionResult=yes", "ExecMainCode=1", "Result=success"]
    assert "reboot.target" not in machine.run("systemctl", "list-jobs").stdout
    assert machine.run("readlink", AWAITING).stdout.strip() == newer


def test_it_leaves_alone_what_was_confirmed(machine: NixosGuest, host: Evaluation) -> None:
    start(machine, host)
    shown = f"systemctl show --property=LastTriggerUSec {NAME}.timer"
    machine.until("sh", "-c", f"{shown} | grep -q =.")
    condition = machine.run("systemctl", "show", "--property=ConditionResult", f"{NAME}.service")
    assert condition.stdout.strip() == "ConditionResult=no"
