"""The rig itself: a Nix of the right age, stores that share nothing, builds without a network."""

import re
from pathlib import Path

import pytest

from tests.support.commands import CommandFailed
from tests.support.nix_runtime import NixStore


def derivation(script: str) -> str:
    return f"""derivation {{
      name = "greeting-1.0"; system = "x86_64-linux"; builder = "/bin/sh";
      args = [ "-c" ''{script}'' ];
    }}"""


BUILD = derivation("echo hello > $out")
LOOK = "(echo /etc/* /usr/*; while read line; do echo $line; done < /proc/net/dev) > $out"


def test_it_is_new_enough(nix_store: NixStore) -> None:
    found = re.fullmatch(r"nix \(Nix\) (\d+)\.(\d+)\.\S+", nix_store.run("nix", "--version"))
    assert found is not None
    assert (int(found[1]), int(found[2])) >= (2, 26)


def test_it_evaluates_and_builds(nix_store: NixStore) -> None:
    assert nix_store.eval('{ a = 1 + 1; b = [ "x" ]; }') == {"a": 2, "b": ["x"]}
    path = nix_store.build(BUILD)
    assert path.startswith("/nix/store/")
    assert nix_store.real(path).read_text() == "hello\n"
    assert not Path(path).exists()


def test_two_stores_share_nothing(nix_store: NixStore, tmp_path: Path) -> None:
    path = nix_store.build(BUILD)
    other = NixStore(nix_store.runtime, tmp_path / "other")
    assert nix_store.attempt("nix-store", "--check-validity", path).returncode == 0
    assert other.attempt("nix-store", "--check-validity", path).returncode == 1


def test_a_build_sees_neither_the_network_nor_the_machine(nix_store: NixStore) -> None:
    path = nix_store.build(derivation(LOOK))
    files, *devices = nix_store.real(path).read_text().splitlines()
    assert files == "/etc/group /etc/hosts /etc/passwd /usr/*"
    assert [line.split(":")[0] for line in devices if ":" in line] == ["lo"]


def test_a_failure_says_why(nix_store: NixStore) -> None:
    with pytest.raises(CommandFailed, match="nothing here"):
        nix_store.eval('throw "nothing here"')
