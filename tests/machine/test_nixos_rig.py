"""The rig itself: a guest that boots, switches and loses power as a NixOS does, with a real Nix."""

from collections.abc import Iterator

import pytest

from tests.support.commands import CommandFailed
from tests.support.nixos_base import documented
from tests.support.nixos_guest import CURRENT, NixosGuest, NixosSite

pytestmark = pytest.mark.nix


@pytest.fixture(scope="module")
def machine(nixos: NixosSite) -> Iterator[NixosGuest]:
    with nixos.boot("rig") as guest:
        yield guest


@pytest.fixture
def pristine(nixos: NixosSite, machine: NixosGuest) -> NixosGuest:
    """The shared guest, on its first system whatever the test before did."""
    if machine.running() != nixos.base_path:
        machine.install(nixos.base_path)
    return machine


def where(guest: NixosGuest) -> tuple[str, str, str, str]:
    return guest.running(), guest.booted(), guest.profile(), guest.boot_default()


def fetched(site: NixosSite, guest: NixosGuest, unit: str, *lines: str) -> str:
    path = site.release(documented(site.base.with_service(unit, *lines)))
    guest.fetch(path, site.public_key)
    return path


def test_it_boots_into_a_system_of_its_store(nixos: NixosSite, pristine: NixosGuest) -> None:
    assert where(pristine) == (nixos.base_path,) * 4
    units = pristine.run("readlink", "-f", "/etc/systemd/system/clinic-bridge.service").stdout
    assert units.startswith("/nix/store/")
    setuid = pristine.run("find", "/", "-xdev", "-perm", "/6000", "-type", "f").stdout
    assert setuid == ""
    assert "net.ipv4.tcp_syncookies = 1" in pristine.run("sysctl", "-a").stdout
    assert pristine.ssh("id", "-un") == "clinicadmin\n"
    assert pristine.nix("nix-store", "--verify", "--check-contents").returncode == 0


def test_test_is_gone_with_the_power(nixos: NixosSite, pristine: NixosGuest) -> None:
    path = fetched(nixos, pristine, "trial", "ExecStart=/bin/sleep inf")
    pristine.switch(path, "test")
    assert pristine.run("systemctl", "is-active", "trial").stdout == "active\n"
    base = nixos.base_path
    assert where(pristine) == (path, base, base, base)
    pristine.cut_power()
    pristine.power_on()
    assert where(pristine) == (base,) * 4
    assert pristine.run("systemctl", "is-active", "trial", check=False).returncode != 0


def test_boot_needs_the_profile_and_takes_effect_with_the_power(
    nixos: NixosSite, pristine: NixosGuest
) -> None:
    path = fetched(nixos, pristine, "next", "ExecStart=/bin/sleep inf")
    pristine.switch(path, "boot")
    assert pristine.boot_default() == nixos.base_path
    generation = pristine.set_profile(path)
    pristine.switch(path, "boot")
    assert pristine.boot_default() == path
    assert pristine.running() == nixos.base_path
    pristine.cut_power()
    pristine.power_on()
    assert where(pristine) == (path,) * 4
    assert pristine.generation() == generation


def test_an_entry_for_one_boot_is_used_once(nixos: NixosSite, pristine: NixosGuest) -> None:
    path = fetched(nixos, pristine, "once", "ExecStart=/bin/sleep inf")
    generation = pristine.set_profile(path)
    pristine.switch(nixos.base_path, "boot")
    pristine.nix("bootctl", "set-oneshot", f"nixos-generation-{generation}.conf")
    for booted in (path, nixos.base_path):
        pristine.cut_power()
        pristine.power_on()
        assert pristine.booted() == booted


@pytest.mark.parametrize(
    ("fails", "status", "runs"),
    [
        ("check", 1, False),
        ("activation:etc", 2, True),
        ("activation:users", 2, True),
        ("activation:dies", 2, False),
    ],
)
def test_a_switch_fails_as_the_real_one(
    nixos: NixosSite, pristine: NixosGuest, fails: str, status: int, runs: bool
) -> None:
    path = nixos.release(nixos.failing(fails))
    pristine.fetch(path, nixos.public_key)
    done = pristine.switch(path, "test", check=False)
    assert done.returncode == status, done.stderr
    assert pristine.running() == (path if runs else nixos.base_path)
    pristine.switch(nixos.base_path, "test")


def test_a_failing_unit_is_four_and_named(nixos: NixosSite, pristine: NixosGuest) -> None:
    path = fetched(nixos, pristine, "broken", "Type=oneshot", "ExecStart=/bin/false")
    done = pristine.switch(path, "test", check=False)
    assert done.returncode == 4
    assert "the following units failed: broken.service" in done.stderr
    assert pristine.run("readlink", CURRENT).stdout.strip() == path


def test_who_is_not_declared_goes(nixos: NixosSite, pristine: NixosGuest) -> None:
    pristine.run("useradd", "mallory")
    pristine.run("sh", "-c", "rm /etc/sysctl.d/60-nixos.conf; echo x > /etc/sysctl.d/60-nixos.conf")
    pristine.run("chmod", "0755", "/run/wrappers/bin/sudo")
    pristine.switch(nixos.base_path, "test")
    assert pristine.run("id", "mallory", check=False).returncode == 1
    link = pristine.run("readlink", "/etc/sysctl.d/60-nixos.conf").stdout
    assert link == "/etc/static/sysctl.d/60-nixos.conf\n"
    assert pristine.run("stat", "-c", "%a", "/run/wrappers/bin/sudo").stdout == "4555\n"


def test_a_path_without_a_good_signature_is_refused(nixos: NixosSite, pristine: NixosGuest) -> None:
    path = nixos.release(documented(nixos.base.with_etc("motd", "unsigned\n")))
    other = nixos.store.run("nix", "key", "generate-secret", "--key-name", "stranger-1")
    public = nixos.store.run("nix", "key", "convert-secret-to-public", input=other.encode())
    with pytest.raises(CommandFailed, match="not signed by any of the keys"):
        pristine.fetch(path, public)
    assert pristine.nix("nix-store", "--check-validity", path, check=False).returncode == 1
    pristine.fetch(path, nixos.public_key)


def test_a_full_disk_is_full_for_all(pristine: NixosGuest) -> None:
    pristine.shrink_disk(1 << 20)
    try:
        fill = pristine.run("dd", "if=/dev/zero", "of=/nix/big", "bs=1M", "count=4", check=False)
        assert "No space left" in fill.stderr
    finally:
        pristine.grow_disk()
        pristine.run("rm", "/nix/big")


def test_a_system_that_does_not_come_up_is_left_behind(
    nixos: NixosSite, machine: NixosGuest
) -> None:
    path = nixos.release(nixos.failing("boot"))
    machine.fetch(path, nixos.public_key)
    generation = machine.set_profile(path)
    machine.switch(nixos.base_path, "boot")
    machine.nix("bootctl", "set-oneshot", f"nixos-generation-{generation}.conf")
    machine.cut_power()
    with pytest.raises(CommandFailed, match="kernel panic"):
        machine.power_on()
    machine.cut_power()
    machine.power_on()
    assert machine.booted() == nixos.base_path
