"""An activation that is cut off, in every phase: ``kill -9`` of the reconciler, or the power.

Whatever the moment, the machine is on a proven system before anything of ours runs again or after
the first run, and the evidence is whole. Up to the look at its health the newer system is not
proven, so the recorded one it is; from then on the newer one.
"""

import itertools
from collections.abc import Iterator

import pytest

from tests.support.commands import CommandFailed
from tests.support.nixos_base import documented
from tests.support.nixos_clinic import NixosClinic
from tests.support.nixos_guest import NixosGuest, NixosSite

pytestmark = [pytest.mark.nix, pytest.mark.crash]

PHASES = {
    "before-operations": 0,
    "fetched": 1,
    "asked": 2,
    "way-back-armed": 3,
    "switched": 4,
    "proven": 5,
    "in-profile": 6,
    "in-boot-loader": 7,
    "way-back-gone": 8,
}
PROVEN = PHASES["proven"]
_numbers = itertools.count(1)


def point(phase: str) -> str:
    number = PHASES[phase]
    return f"after-operation:activate:{number}" if number else "before-step:activate"


@pytest.fixture(scope="module")
def machine(nixos: NixosSite) -> Iterator[NixosGuest]:
    with nixos.boot("cut") as guest:
        yield guest


@pytest.fixture(scope="module")
def waiting(nixos: NixosSite, machine: NixosGuest) -> tuple[NixosClinic, str]:
    """An appliance at rest for which a newer system was just released, and that system."""
    clinic = NixosClinic.enrol(nixos, machine)
    assert clinic.run().failing(before=True) == set()
    newer = nixos.base.with_service("labels", "ExecStart=/bin/sleep inf")
    return clinic, clinic.release(documented(newer))


@pytest.fixture
def clinic(nixos: NixosSite, waiting: tuple[NixosClinic, str]) -> NixosClinic:
    """The same appliance in the same situation, for one test to cut off."""
    clinic = waiting[0].copy(f"clinic{next(_numbers)}")
    if set(clinic.where()) != {nixos.base_path}:
        clinic.guest.install(nixos.base_path)
    return clinic


def is_whole(clinic: NixosClinic, system: str, result: str) -> None:
    """After the first run: one system in all places, nothing left over, the intent closed."""
    run = clinic.run()
    assert run.results()[0] == ("RB-UPDATE-001", result), run.document["outcomes"]
    assert clinic.where() == (system,) * 3
    clinic.at_rest()
    (branch,) = clinic.verify()["branches"]
    assert branch["open_intents"] == []


@pytest.mark.parametrize("phase", PHASES)
def test_killed(
    nixos: NixosSite, waiting: tuple[NixosClinic, str], clinic: NixosClinic, phase: str
) -> None:
    proven = PHASES[phase] >= PROVEN
    clinic.dies(point(phase))
    system = waiting[1] if proven else nixos.base_path
    is_whole(clinic, system, "healed" if proven else "interrupted")


@pytest.mark.parametrize("phase", [p for p in PHASES if PHASES[p] < PHASES["in-boot-loader"]])
def test_power_cut_before_the_boot_entry(nixos: NixosSite, clinic: NixosClinic, phase: str) -> None:
    clinic.loses_power(point(phase))
    assert clinic.guest.booted() == clinic.guest.running() == nixos.base_path
    is_whole(clinic, nixos.base_path, "interrupted")


@pytest.mark.parametrize("phase", [p for p in PHASES if PHASES[p] >= PHASES["in-boot-loader"]])
def test_power_cut_after_the_boot_entry(
    waiting: tuple[NixosClinic, str], clinic: NixosClinic, phase: str
) -> None:
    clinic.loses_power(point(phase))
    assert clinic.guest.booted() == clinic.guest.running() == waiting[1]
    is_whole(clinic, waiting[1], "healed")


def test_the_way_back_is_gone_by_itself_when_nobody_returns(
    nixos: NixosSite, waiting: tuple[NixosClinic, str], clinic: NixosClinic
) -> None:
    clinic.dies(point("switched"), watchdog_s=12, settle_s=0)
    assert clinic.guest.running() == waiting[1]
    clinic.guest.until("test", "!", "-e", "/var/lib/reconciler/activation/order.json", timeout=40)
    assert clinic.where() == (nixos.base_path,) * 3
    is_whole(clinic, nixos.base_path, "interrupted")


def test_evidence_that_finds_no_room_is_written_when_there_is_some(
    nixos: NixosSite, clinic: NixosClinic
) -> None:
    guest = clinic.guest
    with clinic.evidence_on_a_disk_of_its_own() as evidence:
        fills = f"/bin/dd if=/dev/zero of={evidence}/filler bs=4k"
        greedy = nixos.base.with_service("greedy", f"ExecStart=/bin/sh -c '{fills}; sleep inf'")
        path = clinic.release(documented(greedy))
        with pytest.raises(CommandFailed, match="No space left on device"):
            clinic.run()
        assert clinic.where() == (path,) * 3
        guest.run("systemctl", "stop", "greedy")
        guest.run("rm", f"{evidence}/filler")
        is_whole(clinic, path, "healed")
