"""A release with another kernel, through the engine: activated, restarted into once, then kept.

The guest really goes down and comes up. Until the first run after the restart has judged it, the
boot loader's default is what was proven; what did not come up so is left alone from then on.
"""

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.clinic_fleet import CLIENT
from tests.support.commands import CommandFailed
from tests.support.nixos_base import documented
from tests.support.nixos_clinic import NixosClinic
from tests.support.nixos_guest import NixosGuest, NixosSite

pytestmark = [pytest.mark.nix, pytest.mark.crash]

CLIENT_FILE = f"hosts/{CLIENT}/client.yaml"
ALL_DAYS = "mon, tue, wed, thu, fri, sat, sun"
ACTIVATE, RESTART = "RB-UPDATE-001", "RB-REBOOT-001"
ANOTHER = "came up, not the system that was restarted into"
_numbers = itertools.count(1)


@pytest.fixture
def clinic(nixos: NixosSite, at_rest: NixosClinic) -> NixosClinic:
    """An appliance at rest, which runs and has booted the first system."""
    guest = at_rest.guest
    if {guest.booted(), *at_rest.where()} != {nixos.base_path}:
        guest.install(nixos.base_path)
        power_cycle(guest)
    return at_rest.copy(f"clinic{next(_numbers)}")


def power_cycle(guest: NixosGuest) -> None:
    guest.cut_power()
    guest.power_on()


def activated(nixos: NixosSite, clinic: NixosClinic, label: str, **differs: str) -> str:
    """A release with another kernel, which runs now with the kernel of before."""
    system = replace(nixos.base, label=label, kernel="6.12.50", **differs)
    path = clinic.release(documented(system))
    run = clinic.run()
    assert run.results() == [(ACTIVATE, "healed")]
    assert run.failing(before=False) == {"nixos-reboot-pending"}
    assert clinic.where() == (path, path, nixos.base_path)
    assert clinic.guest.booted() == nixos.base_path
    return path


def is_closed(clinic: NixosClinic) -> None:
    """Nothing of an activation is left over, and no intent is open."""
    clinic.at_rest()
    (branch,) = clinic.verify()["branches"]
    assert branch["open_intents"] == []


def shut(text: str) -> str:
    """The client's document with windows that are open in three days."""
    later = f"{datetime.now(UTC) + timedelta(days=3):%a}".lower()
    assert ALL_DAYS in text
    return text.replace(ALL_DAYS, later)


def test_a_new_kernel_is_restarted_into_once_in_a_window_and_kept(
    nixos: NixosSite, clinic: NixosClinic
) -> None:
    guest = clinic.guest
    path = activated(nixos, clinic, "kernel")
    opened = (clinic.site.fleet / CLIENT_FILE).read_text()
    clinic.site.edit(CLIENT_FILE, shut)
    assert "waits for a maintenance window" in clinic.run().turned_away(RESTART)["reason"]
    clinic.site.edit(CLIENT_FILE, lambda _: opened)
    clinic.begins()
    guest.restart()
    assert (guest.booted(), guest.boot_default()) == (path, nixos.base_path)
    run = clinic.run()
    assert run.results() == [(RESTART, "healed")]
    assert run.failing(before=False) == set()
    assert clinic.where() == (path,) * 3
    is_closed(clinic)
    power_cycle(guest)
    assert guest.booted() == path


def test_a_system_that_never_comes_up_is_left_behind_and_left_alone(
    nixos: NixosSite, clinic: NixosClinic
) -> None:
    guest = clinic.guest
    path = activated(nixos, clinic, "never-up", fails="boot")
    clinic.begins()
    with pytest.raises(CommandFailed, match="kernel panic"):
        guest.restart()
    power_cycle(guest)
    run = clinic.run()
    assert run.results() == [(RESTART, "failed")]
    assert ANOTHER in run.outcome(RESTART)["reason"]
    assert run.before("nixos-system")["observed"]["system"] == path
    assert run.turned_away(ACTIVATE)["guard"] == "revision"
    assert {guest.booted(), guest.running(), guest.boot_default()} == {nixos.base_path}
    is_closed(clinic)
    assert clinic.run().turned_away(ACTIVATE)["guard"] == "revision"


def test_power_cut_before_the_restart(nixos: NixosSite, clinic: NixosClinic) -> None:
    guest = clinic.guest
    activated(nixos, clinic, "staged")
    clinic.loses_power("after-operation:reboot:2")
    assert {guest.booted(), guest.running(), guest.boot_default()} == {nixos.base_path}
    assert clinic.run().results()[0] == (RESTART, "failed")
    assert {guest.running(), guest.boot_default()} == {nixos.base_path}
    is_closed(clinic)


def test_power_cut_while_it_goes_down(nixos: NixosSite, clinic: NixosClinic) -> None:
    path = activated(nixos, clinic, "going-down")
    clinic.loses_power("after-operation:reboot:3")
    assert (clinic.guest.booted(), clinic.guest.boot_default()) == (path, nixos.base_path)
    assert clinic.run().results() == [(RESTART, "healed")]
    assert clinic.where() == (path,) * 3
    is_closed(clinic)
