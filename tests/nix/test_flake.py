"""The flake as Nix itself reads it: locked, offline, equal systems for equal declarations.

There is no nixpkgs here; `nix/testing` stands in for it as an input.
"""

import ast
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from reconciler.engine.scaffold.make import scaffold
from tests.support.commands import CommandFailed, host
from tests.support.image import PROJECT
from tests.support.nix_runtime import NixStore
from tests.support.reconciler_module import settings_of

PARTS = ("flake.nix", "flake.lock", "nix", "hosts")
EXAMPLE = "nixosConfigurations.example-clinic-appliance.config"
OUTPUTS = {
    "checks",
    "devShells",
    "formatter",
    "lib",
    "nixosConfigurations",
    "nixosModules",
    "packages",
    "templates",
}


class Flake:
    """A copy of the project's flake, which a test may change.

    Args:
        store: Nix.
        directory: Made.
    """

    def __init__(self, store: NixStore, directory: Path) -> None:
        self.store, self.directory = store, directory
        directory.mkdir()
        for part in PARTS:
            source = PROJECT / part
            copy = shutil.copytree if source.is_dir() else shutil.copy
            copy(source, directory / part)

    def __str__(self) -> str:
        return f"path:{self.directory}"

    def nix(self, *arguments: str) -> str:
        """Run a command of nix without a network and with the stand-in for nixpkgs."""
        stand_in = ("--override-input", "nixpkgs", f"path:{PROJECT}/nix/testing")
        return self.store.run("nix", *arguments, "--offline", "--no-write-lock-file", *stand_in)

    def value(self, attribute: str, *arguments: str, at: str = "") -> Any:
        """The value of an attribute."""
        return json.loads(self.nix("eval", "--json", f"{at or self}#{attribute}", *arguments))


@pytest.fixture
def flake(nix_store: NixStore, tmp_path: Path) -> Flake:
    return Flake(nix_store, tmp_path / "flake")


def test_the_lock_names_everything_and_is_read_without_a_network(flake: Flake) -> None:
    metadata = json.loads(
        flake.store.run(
            *("nix", "flake", "metadata", "--json", "--offline", "--no-update-lock-file"),
            str(flake),
        )
    )

    nodes = metadata["locks"]["nodes"]
    assert set(nodes) == {"root", "nixpkgs"}
    locked, original = nodes["nixpkgs"]["locked"], nodes["nixpkgs"]["original"]
    assert re.fullmatch("[0-9a-f]{40}", locked["rev"])
    assert re.fullmatch("sha256-[A-Za-z0-9+/]{43}=", locked["narHash"])
    assert re.fullmatch(r"nixos-[0-9]{2}\.(05|11)", original["ref"]), "a stable release"
    assert locked["lastModified"] > 0


def test_a_lock_that_does_not_fit_the_inputs_is_noticed(flake: Flake) -> None:
    text = (flake.directory / "flake.nix").read_text()
    (flake.directory / "flake.nix").write_text(text.replace("nixos-26.05", "nixos-25.11"))

    with pytest.raises(CommandFailed, match="lock file"):
        flake.store.run(
            "nix", "flake", "metadata", "--offline", "--no-update-lock-file", str(flake)
        )


def test_docs_name_the_pair_that_is_locked() -> None:
    locked = json.loads((PROJECT / "flake.lock").read_text())["nodes"]["nixpkgs"]["locked"]
    page = (PROJECT / "docs/nixos.md").read_text()

    assert locked["rev"] in page
    assert locked["narHash"] in page


def test_it_gives_what_it_promises(flake: Flake) -> None:
    assert set(json.loads(flake.nix("flake", "show", "--json", str(flake)))) == OUTPUTS
    modules = flake.value("nixosModules", "--apply", "builtins.attrNames")
    assert modules == ["baseline", "default", "expectations", "installer", "reconciler"]
    functions = flake.value("lib", "--apply", "builtins.attrNames")
    assert {"expectations", "mkFleet", "mkHost", "mkInstaller", "settings"} <= set(functions)
    assert (flake.directory / "flake.nix").read_text().count("\n") < 100, "wiring only"


def test_the_example_appliance_evaluates_whole(flake: Flake, tmp_path: Path) -> None:
    """Assertions included: a system with one that does not hold has no derivation."""
    system = flake.value(f"{EXAMPLE}.system.build.toplevel.drvPath")
    assert system.startswith("/nix/store/")

    text = flake.value(f'{EXAMPLE}.environment.etc."reconciler/reconciler.yaml".text')
    settings = settings_of(text, tmp_path).settings
    assert (settings.client, settings.host) == ("example-clinic", "appliance")
    assert settings.system is not None


def test_a_commit_that_declares_the_same_gives_the_same_system(flake: Flake) -> None:
    """Rings go by systems: opening one is a commit, too, and must not start a new rollout."""
    git = ("git", "-C", str(flake.directory), "-c", "user.name=a", "-c", "user.email=a@b.example")

    def commit(message: str) -> str:
        host("git", *git[1:], "add", "-A")
        host("git", *git[1:], "commit", "-q", "-m", message)
        at = f"git+file://{flake.directory}"
        path: str = flake.value(f"{EXAMPLE}.system.build.toplevel.drvPath", at=at)
        return path

    host("git", "init", "-q", "-b", "main", str(flake.directory))
    first = commit("Declare")
    (flake.directory / "policies").mkdir()
    (flake.directory / "policies/promotions.yaml").write_text("promotions: []\n")
    assert commit("Open a ring") == first

    example = flake.directory / "hosts/example-clinic/appliance.nix"
    example.write_text(example.read_text().replace("users.clinic-admin", "users.clinic-owner"))
    assert commit("Change the host") != first


@pytest.mark.parametrize("name", ["boots", "drift", "activation"])
def test_a_test_of_a_machine_is_a_program(nix_store: NixStore, name: str) -> None:
    """It runs where nixpkgs is. Here: it is Python, and knows only what the driver gives it."""
    script = nix_store.eval(
        f"(import {PROJECT}/nix/vm/{name}.nix {{ self.nixosModules = {{ }}; }}).testScript"
    )
    names = {node.id for node in ast.walk(ast.parse(script)) if isinstance(node, ast.Name)}

    assigned = {"proven", "pid"}
    assert {"machine", "subtest"} <= names <= {"machine", "subtest", *assigned}


REFUSED = {
    "a host without facts": ("appliance.yaml", None, "is missing; a host that the fleet does not"),
    "facts of another host": ("appliance.yaml", ("id: appliance", "id: other"), "has no line `id:"),
    "facts of no NixOS": ("appliance.yaml", ("kind: nixos", "kind: linux"), "has no line `kind:"),
    "a commit in the system": (
        "appliance.nix",
        ("{\n  # The disk", '{\n  system.configurationRevision = "abc";\n  # The disk'),
        "configurationRevision must stay null",
    ),
}


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.replace(" ", "-"))
def test_what_the_fleet_does_not_know_is_not_built(flake: Flake, case: str) -> None:
    name, change, message = REFUSED[case]
    file = flake.directory / "hosts/example-clinic" / name
    if change is None:
        file.unlink()
    else:
        before = file.read_text()
        assert change[0] in before
        file.write_text(before.replace(*change, 1))

    with pytest.raises(CommandFailed, match=re.escape(message)):
        flake.value(f"{EXAMPLE}.system.build.toplevel.drvPath")


def test_facts_are_read_as_people_write_them(flake: Flake) -> None:
    facts = flake.directory / "hosts/example-clinic/appliance.yaml"
    text = facts.read_text().replace("kind: nixos\n", "kind: 'nixos'  # not Debian\r\n", 1)
    facts.write_text(text.replace("id: appliance\n", 'id:  "appliance" \n', 1))

    assert flake.value(f"{EXAMPLE}.system.build.toplevel.drvPath").startswith("/nix/store/")


def test_two_hosts_of_one_name_are_refused_with_both(flake: Flake) -> None:
    hosts = flake.directory / "hosts"
    for client, name in (("elm", "a-b"), ("elm-a", "b")):
        (hosts / client).mkdir()
        (hosts / client / f"{name}.nix").write_text("{ }\n")

    with pytest.raises(CommandFailed) as refused:
        flake.value("nixosConfigurations", "--apply", "builtins.attrNames")

    assert "hosts/elm/a-b.nix and hosts/elm-a/b.nix" in str(refused.value)


def test_the_template_makes_a_fleet_that_evaluates_and_checks(flake: Flake, tmp_path: Path) -> None:
    """The page for people, step by step: init, template, evaluation, the gate."""
    from reconciler.cli import execute as reconciler

    fleet = tmp_path / "msp/fleet"
    scaffold(tmp_path / "msp", "elm-street", "front-desk")
    flake.store.run("nix", "flake", "new", "--offline", "--template", f"{flake}#fleet", str(fleet))

    assert set(_systems(flake, fleet)) == {"elm-street-appliance"}
    assert reconciler(["check", str(fleet)]) == 0


def test_the_template_alone_evaluates(flake: Flake, tmp_path: Path) -> None:
    """Its facts are those of the example, which `reconciler init` writes as well."""
    fleet = tmp_path / "alone"
    flake.store.run("nix", "flake", "new", "--offline", "--template", f"{flake}#fleet", str(fleet))

    assert set(_systems(flake, fleet)) == {"elm-street-appliance"}
    facts = fleet / "hosts/elm-street/appliance.yaml"
    assert facts.read_text() == (PROJECT / "hosts/example-clinic/appliance.yaml").read_text()


def _systems(flake: Flake, fleet: Path) -> dict[str, str]:
    """The derivations of a fleet's systems, which have none where an assertion does not hold."""
    all_of_them = "builtins.mapAttrs (_: one: one.config.system.build.toplevel.drvPath)"
    told = flake.store.run(
        *("nix", "eval", "--json", "--offline", "--no-write-lock-file"),
        f"path:{fleet}#nixosConfigurations",
        *("--override-input", "nixpkgs", f"path:{PROJECT}/nix/testing"),
        *("--override-input", "reconciler", str(flake)),
        *("--apply", f"fleet: {all_of_them} fleet"),
    )
    return dict(json.loads(told))


def test_every_output_evaluates_for_every_system(flake: Flake) -> None:
    flake.nix("flake", "check", "--no-build", "--all-systems", str(flake))
