"""From the modules to a signed release: a fleet that uses them, evaluated as CI does it, and built.

`nix/testing` stands in for nixpkgs; everything else is what a real fleet calls.
"""

import json
from pathlib import Path
from typing import Any

from reconciler.model.expected import PLACE, parse
from tests.support.appliance_fleet import CLIENT
from tests.support.fleet_git import Files
from tests.support.image import PROJECT
from tests.support.nix_runtime import NixStore
from tests.support.release_site import ReleaseSite, fleet_files

FLAKE = """{
  outputs = { self }: let
    testing = import ./nix/testing { };
    nixosSystem = { modules, ... }: testing.evalSystem { inherit modules; };
    own = import ./nix/lib.nix { nixpkgs.lib = testing.lib // { inherit nixosSystem; }; };
  in { nixosConfigurations = own.mkFleet { hosts = ./hosts; }; };
}
"""
HOST = """{
  services.reconciler.fleet.url = "https://git.example.org/fleet.git";
  services.openssh.enable = true;
  system.stateVersion = "26.05";
}
"""


def own_modules() -> Files:
    nix = PROJECT / "nix"
    return {f"nix/{f.relative_to(nix)}": f.read_text() for f in nix.rglob("*") if f.is_file()}


def test_a_fleet_of_the_modules_is_released_with_what_it_declares(
    nix: Path, tmp_path: Path, capsys: Any
) -> None:
    store, one = NixStore(nix, tmp_path / "nix"), f"{CLIENT}/one"
    files = fleet_files(FLAKE, "one") | own_modules() | {f"hosts/{one}.nix": HOST}
    site = ReleaseSite(tmp_path / "msp", store, files)

    path = site.release(capsys)["statement"]["systems"][one]["path"]

    declared = parse((store.real(path) / PLACE).read_bytes())
    assert (declared["host"], declared["system"]) == ("one", path)
    assert {"reconciler.service", "sshd.service"} <= set(declared["units"]["run"])
    licences = json.loads((store.real(path) / "reconciler/licences.json").read_text())
    assert licences["format"] == "reconciler-licences/1"

    # A commit that declares the same makes the same system: rings go by systems.
    site.lands({"nix/note.txt": "nothing reads this\n"})
    assert site.release(capsys)["statement"]["systems"][one]["path"] == path
