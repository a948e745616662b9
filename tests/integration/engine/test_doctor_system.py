"""What doctor shows of system, programs of Nix, caches, release and helper."""

import socket
from pathlib import Path

import pytest

from reconciler.engine.doctor.system import diagnose_system
from reconciler.engine.settings import load_settings
from reconciler.model.diagnosis import Diagnosis
from tests.support.release_drill import ReleaseDrill, new_release_drill
from tests.support.releases import store_path

pytestmark = pytest.mark.integration

KEY = f"cache.example-1:{'A' * 43}="


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    return new_release_drill(tmp_path_factory.mktemp("fresh") / "site")


@pytest.fixture
def site(fresh, tmp_path):
    return fresh.copied(tmp_path / "site")


@pytest.fixture
def machine(tmp_path):
    """A root with links to systems, and a directory with programs of Nix."""
    root = tmp_path / "root"
    (root / "run").mkdir(parents=True)
    (root / "nix/var/nix/profiles").mkdir(parents=True)
    (root / "bin").mkdir()
    for name in ("nix", "nix-env", "nix-instantiate", "nix-store"):
        (root / "bin" / name).write_text("#!/bin/sh\n")
        (root / "bin" / name).chmod(0o755)
    return root


def boots(root: Path, label: str, generation: str | None = None) -> None:
    (root / "run/current-system").symlink_to(store_path(label))
    profiles = root / "nix/var/nix/profiles"
    (profiles / "system").symlink_to("system-7-link")
    (profiles / "system-7-link").symlink_to(store_path(generation or label))


def asks(site: ReleaseDrill, text: str) -> None:
    settings = Path(site.drill.site.settings)
    settings.write_text(f"{settings.read_text()}{text}\n")


def seen(site: ReleaseDrill, root: Path) -> dict[str, Diagnosis]:
    home = load_settings(Path(site.drill.site.settings))
    found = diagnose_system(home, root=str(root), directories=(str(root / "bin"),))
    return {one.subject: one for one in found}


def test_a_machine_without_nixos_and_settings_without_a_system(site, machine) -> None:
    found = seen(site, machine)
    assert list(found) == ["system"]
    assert (found["system"].state, found["system"].detail) == (
        "absent",
        "this machine runs no NixOS",
    )


def test_nixos_that_nobody_changes(site, machine) -> None:
    boots(machine, "one")
    found = seen(site, machine)
    assert list(found) == ["system"]
    assert found["system"].state == "absent"
    assert "looked at and never changed" in found["system"].detail


def test_all_is_well(site, machine, tmp_path) -> None:
    boots(machine, "one")
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache/nix-cache-info").write_text("StoreDir: /nix/store\n")
    asks(site, f'system: {{caches: ["file://{tmp_path}/cache"], public_keys: ["{KEY}"]}}')
    site.release("one")
    site.run()
    found = seen(site, machine)
    assert {one.state for one in found.values()} == {"ok"}
    assert found["system"].detail == f"{store_path('one')}, generation 7"
    assert found["release"].detail.startswith(f"{store_path('one')}, by the release of ")
    assert "signed by cache.example-1; not asked" in found["caches"].detail
    assert found["Nix"].detail == str(machine / "bin")


def test_settings_for_nixos_on_another_machine(site, machine) -> None:
    asks(site, "system: {}")
    for program in (machine / "bin").iterdir():
        program.unlink()
    found = seen(site, machine)
    assert {name: one.state for name, one in found.items()} == {
        "system": "limited",
        "Nix": "limited",
        "caches": "absent",
        "release": "absent",
    }
    assert "is not installed in" in found["Nix"].detail
    assert all(one.hint for one in found.values())


def test_a_cache_that_is_not_there(site, machine, tmp_path) -> None:
    boots(machine, "one")
    asks(site, f'system: {{caches: ["file://{tmp_path}/gone"], public_keys: ["{KEY}"]}}')
    found = seen(site, machine)["caches"]
    assert (found.state, found.detail) == (
        "limited",
        f"file://{tmp_path}/gone is no binary cache now",
    )


def test_another_system_runs_than_the_release_names(site, machine) -> None:
    boots(machine, "one", "two")
    asks(site, "system: {}")
    site.release("three")
    site.run()
    found = seen(site, machine)
    assert found["system"].state == found["release"].state == "limited"
    assert f"the profile names {store_path('two')}" in found["system"].detail
    assert "another system runs" in found["release"].detail
    assert "guard explain" in found["release"].hint


def test_a_release_that_does_not_count_is_named(site, machine) -> None:
    boots(machine, "one")
    asks(site, "system: {}")
    site.run()
    found = seen(site, machine)["release"]
    assert found.detail == "no release that counts names a system for this host"
    assert "attest show" in found.hint
    site.release("two", by="alice")
    site.run()
    found = seen(site, machine)["release"]
    assert (found.state, found.detail.split("; ")[1]) == (
        "limited",
        "the newest is refused: release-refused",
    )
    assert found.hint


def test_a_link_that_leads_elsewhere_is_said(site, machine) -> None:
    (machine / "run/current-system").symlink_to("/tmp/evil")
    found = seen(site, machine)["system"]
    assert found.state == "limited"
    assert "not a store path" in found.detail


def test_the_helper_s_socket(site, machine, tmp_path) -> None:
    place = tmp_path / "h.sock"
    asks(site, f"helper: {place}")
    assert seen(site, machine)["helper"].detail == f"{place}: No such file or directory"
    place.write_text("")
    assert seen(site, machine)["helper"].detail == f"{place} is no socket"
    place.unlink()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(place))
        assert seen(site, machine)["helper"].state == "ok"
