"""``ci/inputs.sh`` of a fleet with a real Nix: what newer inputs change on every host."""

import subprocess
from pathlib import Path

import pytest

from tests.support.fleet_git import git_env
from tests.support.image import PROJECT
from tests.support.nix_runtime import NixStore

SCRIPT = PROJECT / "ci/fleet/ci/inputs.sh"
HOSTS = ("changes", "same", "breaks", "mends", "broken")
FLAKE = """\
{
  inputs.dep = { url = "git+file://DEP"; flake = false; };
  outputs = { self, dep }: let
    version = builtins.replaceStrings [ "\\n" ] [ "" ] (builtins.readFile "${dep}/version");
    make = name: script: derivation {
      inherit name;
      system = "x86_64-linux";
      builder = "/bin/sh";
      args = [ "-c" script ];
    };
    host = script: { config.system.build.toplevel = make "nixos-system" script; };
    broken = which: if version == which then "echo it is broken >&2; exit 1" else "echo > $out";
  in {
    nixosConfigurations = {
      changes = host "echo ${make "openssl-${version}" "echo > $out"} > $out";
      same = host "echo > $out";
      breaks = host (broken "2.0");
      mends = host (broken "1.0");
      broken = host "exit 1";
      "../away" = host "echo > $out";
    };
  };
}
"""


class Fleet:
    """A flake in a repository, what it takes from another, and a store."""

    def __init__(self, root: Path, store: NixStore) -> None:
        self.directory, self.dep, self.out = root / "fleet", root / "dep", root / "out"
        self.store = store
        for repository in (self.dep, self.directory):
            repository.mkdir()
            self.git(repository, "init", "-q", "-b", "main")
        self.takes("1.0")
        (self.directory / "flake.nix").write_text(FLAKE.replace("DEP", str(self.dep)))
        self.git(self.directory, "add", "flake.nix")
        store.run("nix", "flake", "lock", str(self.directory))
        self.git(self.directory, "add", "flake.lock")

    def git(self, repository: Path, *arguments: str) -> None:
        argv = ("git", "-C", str(repository), *arguments)
        subprocess.run(argv, check=True, timeout=30, env=git_env(repository))

    def takes(self, version: str) -> None:
        """A newer version of what the fleet takes."""
        (self.dep / "version").write_text(f"{version}\n")
        self.git(self.dep, "add", "version")
        self.git(self.dep, "commit", "-q", "-m", version)

    def looks(self, **env: str) -> subprocess.CompletedProcess[str]:
        argv = ("sh", str(SCRIPT), str(self.out))
        return subprocess.run(
            argv,
            cwd=self.directory,
            env={**self.store.env, **env},
            capture_output=True,
            text=True,
            timeout=100,
        )

    def change(self) -> dict[str, str]:
        """What the proposal says of each host."""
        _, *hosts = (self.out / "change.md").read_text().split("\n## ")
        parts = (host.partition("\n") for host in hosts)
        return {name: text.replace("```", "").strip() for name, _, text in parts}


@pytest.fixture
def fleet(nix, tmp_path) -> Fleet:
    return Fleet(tmp_path, NixStore(nix, tmp_path / "nix"))


def test_what_newer_inputs_change_is_said_of_every_host(fleet) -> None:
    lock = (fleet.directory / "flake.lock").read_text()
    fleet.takes("2.0")
    done = fleet.looks()
    assert done.returncode == 0, done.stderr
    said = fleet.change()
    assert set(said) == set(HOSTS), "no name of a host leads out of the directory"
    assert said["changes"].startswith("openssl: 1.0 → 2.0")
    assert said["same"] == ""
    assert said["breaks"] == "does not build any more"
    assert said["mends"] == "builds now, and did not before"
    assert said["broken"] == "does not build, and did not before"
    assert "it is broken" in done.stderr, "the log says why"
    assert (fleet.out / "flake.lock").read_text() != lock
    assert (fleet.directory / "flake.lock").read_text() == lock, "nothing is changed here"


def test_where_the_inputs_are_the_newest_nothing_is_proposed(fleet) -> None:
    done = fleet.looks()
    assert done.returncode == 0, done.stderr
    assert done.stdout == "The inputs are the newest.\n"
    assert list(fleet.out.iterdir()) == []


def test_a_flake_that_cannot_be_evaluated_is_an_error(fleet) -> None:
    (fleet.directory / "flake.nix").write_text("{")
    assert fleet.looks().returncode != 0
    assert list(fleet.out.iterdir()) == []


def test_a_difference_that_cannot_be_told_is_an_error(fleet, tmp_path) -> None:
    real = fleet.store.runtime / "usr/bin/nix"
    (tmp_path / "bin").mkdir()
    sham = tmp_path / "bin/nix"
    sham.write_text(f'#!/bin/sh\n[ "$1" = store ] && exit 1\nexec {real} "$@"\n')
    sham.chmod(0o755)
    fleet.takes("2.0")
    assert fleet.looks(PATH=f"{tmp_path}/bin:{fleet.store.env['PATH']}").returncode != 0
    assert not (fleet.out / "flake.lock").exists(), "so nothing is proposed"
