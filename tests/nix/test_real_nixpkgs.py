"""The modules under the real library and the real modules of NixOS, where somebody has them.

    RECONCILER_NIXPKGS_LIB   a checkout of nixpkgs, or of its library alone (lib/ in it)
    RECONCILER_NIXPKGS       a checkout with nixos/modules

Without them these tests are skipped, by choice and not for want of a rig: the code of nixpkgs is no
part of the project. The same modules are evaluated by the project's own library in any case.
"""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from reconciler.model import expected
from tests.support.commands import CommandFailed
from tests.support.image import PROJECT
from tests.support.nix_modules import real_library
from tests.support.nix_runtime import NixStore
from tests.support.reconciler_module import COMPLETE, settings_of

EXAMPLE = f"""{{
  imports = [ {PROJECT}/hosts/example-clinic/appliance.nix ];
  services.reconciler = {{ enable = true; client = "example-clinic"; host = "appliance"; }};
  networking.hostName = "appliance";
}}"""
TEMPLATE = f"""{{
  imports = [
    {PROJECT}/nix/templates/fleet/nix/common.nix
    {PROJECT}/nix/templates/fleet/hosts/elm-street/appliance.nix
  ];
  services.reconciler = {{ enable = true; client = "elm-street"; host = "appliance"; }};
  networking.hostName = "appliance";
}}"""
SETTINGS = 'config.environment.etc."reconciler/reconciler.yaml".text'
REFUSED = "map (a: a.message) (builtins.filter (a: !a.assertion) config.assertions)"


class RealHost:
    """Values of a host's configuration."""

    def __init__(self, store: NixStore, tree: Path, words: Path) -> None:
        self._store, self._tree, self._words = store, tree, words

    def get(self, want: str, *modules: str) -> Any:
        """The value of an expression over ``config``, with modules beside the project's own."""
        given = " ".join(f"({module})" for module in (f"{PROJECT}/nix/modules", *modules))
        return self.ask(f"let inherit (system {{ modules = [ {given} ]; }}) config; in {want}")

    def ask(self, want: str) -> Any:
        """The value of an expression over ``lib`` and ``system``, which evaluates modules."""
        expression = (
            f"let lib = import {real_library()}/lib;"
            f" system = {{ modules, ... }}: import {PROJECT}/tests/support/real_nixpkgs.nix {{"
            f" inherit lib modules; tree = {self._tree}; words = {self._words}; }}; in {want}"
        )
        flags = ("--impure", "--json", "--expr", expression)
        return json.loads(self._store.run("nix", "eval", *flags, timeout=240))


@pytest.fixture(scope="module")
def host(nix: Path, tmp_path_factory: pytest.TempPathFactory) -> RealHost:
    real_library()
    place = os.environ.get("RECONCILER_NIXPKGS", "")
    if not place:
        pytest.skip("RECONCILER_NIXPKGS names no checkout with nixos/modules")
    directory = tmp_path_factory.mktemp("nix")
    words: set[str] = set()
    for root in (Path(place) / "nixos/modules", PROJECT / "nix"):
        for file in root.rglob("*.nix"):
            words.update(re.findall(r"[A-Za-z_][A-Za-z0-9_-]{0,60}", file.read_text()))
    (directory / "words").write_text("\n".join(sorted(words)))
    return RealHost(NixStore(nix, directory), Path(place), directory / "words")


@pytest.mark.parametrize("module", [EXAMPLE, TEMPLATE], ids=["example", "template"])
def test_a_host_evaluates_with_every_assertion_of_nixos_and_of_ours(
    host: RealHost, module: str
) -> None:
    assert host.get(f"{{ refused = {REFUSED}; inherit (config) warnings; }}", module) == {
        "refused": [],
        "warnings": [],
    }


def test_the_settings_are_those_that_the_small_library_makes(
    host: RealHost, nix_store: NixStore, tmp_path: Path
) -> None:
    small = nix_store.eval(
        f"let testing = import {PROJECT}/nix/testing {{ }}; inherit (testing.evalSystem {{"
        f" modules = [ {PROJECT}/nix/modules ({EXAMPLE}) ]; }}) config; in {SETTINGS}"
    )

    real = host.get(SETTINGS, EXAMPLE)

    assert real == small
    assert settings_of(real, tmp_path).settings.host == "appliance"


def test_the_expectations_document_is_one(host: RealHost) -> None:
    """What real NixOS declares fits the form that the checks read."""
    document = host.get("config.reconciler.expectations.document", EXAMPLE)
    document["system"] = "/nix/store/00000000000000000000000000000000-nixos-system-appliance"

    read = expected.parse(json.dumps(document).encode())

    assert read["host"] == "appliance"
    assert "reconciler.service" in document["units"]["run"]


def test_the_document_of_an_unusual_host_is_one(host: RealHost) -> None:
    unusual = f"{PROJECT}/tests/nix/modules/unusual-host.nix"
    document = host.get("config.reconciler.expectations.document", unusual)
    document["system"] = "/nix/store/00000000000000000000000000000000-nixos-system-front_desk"

    read = expected.parse(json.dumps(document).encode())

    assert read["host"] == "front_desk"
    assert [swap["device"] for swap in read["swap"]] == [
        "/dev/mapper/dev-disk-byx2dpartuuid-12x2dab",
        "/dev/vg0/swap",
    ]
    assert {(s["address"], s["port"]) for s in read["sockets"] if s["protocol"] == "tcp"} == {
        ("2001:db8::7", 22),
        ("192.0.2.7", 22),
        ("192.0.2.7", 2022),
    }
    assert [backup["job"] for backup in read["backups"]] == ["files"]
    assert read["cron"]["jobs"] == ["@daily root true"]
    assert read["sshd"]["settings"]["logingracetime"] == "3900"
    assert {"named.service", "wg-quick-wg0.service"} <= set(read["units"]["run"])
    assert "alone.timer" in read["units"]["timers"]


@pytest.mark.parametrize("name", ["activation", "boots", "drift"])
def test_the_machines_of_the_tests_in_virtual_machines_evaluate(host: RealHost, name: str) -> None:
    """They are booted where there is KVM; that they can be built is seen here."""
    own = f"{PROJECT}/nix/modules"
    machine = (
        f'{{ modulesPath, ... }}: {{ imports = [ (modulesPath + "/virtualisation/qemu-vm.nix")'
        f" (import {PROJECT}/nix/vm/{name}.nix {{ self.nixosModules = {{"
        f" reconciler = {own}/reconciler.nix; expectations = {own}/expectations.nix; }}; }})"
        '.nodes.machine ]; networking.hostName = "machine"; system.stateVersion = "26.05"; }'
    )

    assert host.get(REFUSED, machine) == []
    document = host.get("config.reconciler.expectations.document", machine)
    assert "reconciler.service" in document["units"]["run"]


def test_what_an_assertion_of_ours_refuses_is_refused(host: RealHost) -> None:
    lost = '{ lib, ... }: { services.reconciler.evidence.key = lib.mkForce "credential:lost"; }'

    refused = host.get(REFUSED, EXAMPLE, lost)

    assert any("names credential:lost" in message for message in refused)


def test_a_wrong_type_is_refused_by_the_name_of_its_option(host: RealHost) -> None:
    wrong = '{ services.reconciler.jitterS = "30"; }'

    with pytest.raises(CommandFailed, match=r"services\.reconciler\.jitterS"):
        host.get(SETTINGS, EXAMPLE, wrong)


def test_the_complete_appliance_evaluates(host: RealHost, tmp_path: Path) -> None:
    disk = (
        '{ fileSystems."/" = { device = "x"; fsType = "ext4"; }; boot.loader.grub.enable = false; }'
    )

    assert settings_of(host.get(SETTINGS, COMPLETE, disk), tmp_path).settings.interval_s == 60


def test_the_units_are_written_as_the_gate_checks_them(host: RealHost) -> None:
    text = host.get('config.systemd.units."reconciler.service".text', EXAMPLE)

    assert "X-RestartIfChanged=false" in text
    assert "ProtectSystem=strict" in text
    assert "LoadCredential=appliance:/var/lib/reconciler/keys/appliance" in text


def test_a_whole_fleet_evaluates_down_to_its_systems(host: RealHost) -> None:
    systems = host.ask(
        f"let own = import {PROJECT}/nix/lib.nix {{"
        " nixpkgs.lib = lib // { nixosSystem = system; }; };"
        f" fleet = own.mkFleet {{ hosts = {PROJECT}/hosts; }};"
        " in builtins.mapAttrs (_: one: one.config.system.build.toplevel.name) fleet"
    )

    assert set(systems) == {"example-clinic-appliance"}
    assert systems["example-clinic-appliance"].startswith("nixos-system-appliance-")
