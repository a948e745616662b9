"""The real systemd guest, as fixtures."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.clinic import Clinic, restore_proven
from tests.support.commands import CommandFailed
from tests.support.guest import Guest, first_booted, require_guest
from tests.support.image import Image, build_image
from tests.support.leftovers import sweep
from tests.support.nix_runtime import NixStore, open_nix
from tests.support.nixos_clinic import NixosClinic
from tests.support.nixos_guest import NixosGuest, NixosSite, nixos_site
from tests.support.rigs import rig

_HERE = Path(__file__).parent
_DEADLINE_S = 900
"""The first test of a session may have to build the guest's root."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(_HERE):
            item.add_marker(pytest.mark.machine)
            if item.get_closest_marker("timeout") is None:
                item.add_marker(pytest.mark.timeout(_DEADLINE_S))


@pytest.fixture(scope="session")
def rootfs() -> Iterator[Image]:
    """The clinic appliance's image after its first boot; every guest starts from it."""
    rig("systemd guest", require_guest())
    sweep()
    try:
        image = build_image()
    except CommandFailed as failure:
        rig("systemd guest", f"its image cannot be built: {failure}")
        raise
    with first_booted(image) as booted:
        yield booted


@pytest.fixture
def guest(rootfs: Image) -> Iterator[Guest]:
    """A healthy appliance for one test, to break at will."""
    with Guest.boot(rootfs) as machine:
        machine.wait_for_clock()
        yield machine


@pytest.fixture(scope="module")
def shared_guest(rootfs: Image) -> Iterator[Guest]:
    """A healthy appliance for the tests of a module that only look."""
    with Guest.boot(rootfs, "shared") as machine:
        machine.wait_for_clock()
        yield machine


@pytest.fixture(scope="session")
def proven(rootfs: Image) -> Iterator[Image]:
    """The image with a restore test in its past: a guest of it has nothing to heal."""
    with restore_proven(rootfs) as image:
        yield image


@pytest.fixture
def clinic(proven: Image) -> Iterator[Clinic]:
    """A healthy appliance, enrolled in a fleet of its own, for one test to break."""
    with Guest.boot(proven, "clinic") as machine:
        machine.wait_for_clock()
        yield Clinic(machine)


@pytest.fixture(scope="session")
def nixos(rootfs: Image, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NixosSite]:
    """The appliance as a NixOS: systems are built here, a guest fetches and switches to them."""
    store = NixStore(open_nix(), tmp_path_factory.mktemp("nixos"))
    with nixos_site(rootfs, store) as site:
        yield site


@pytest.fixture(scope="module")
def machine(nixos: NixosSite, request: pytest.FixtureRequest) -> Iterator[NixosGuest]:
    """One NixOS guest for the tests of a module."""
    with nixos.boot(request.module.__name__.rpartition("_")[2]) as guest:
        yield guest


@pytest.fixture(scope="module")
def at_rest(nixos: NixosSite, machine: NixosGuest) -> NixosClinic:
    """An appliance in it that has run once and has nothing to heal; each test takes a copy."""
    clinic = NixosClinic.enrol(nixos, machine)
    assert clinic.run().failing(before=True) == set()
    return clinic
