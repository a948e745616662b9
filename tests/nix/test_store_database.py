"""Our reading of a real Nix database beside what stock Nix says of the same store."""

import base64
import hashlib
import json
import subprocess
from pathlib import Path

import pytest

from reconciler.cli import execute
from reconciler.errors import MachineError
from reconciler.nix import base32
from reconciler.nix.closure import diff, measure
from reconciler.nix.database import open_database
from reconciler.nix.process import NixStore as Asked
from reconciler.nix.process import attempt, run
from reconciler.nix.store_path import parse_name
from tests.support.nix_runtime import NixStore
from tests.support.nix_systems import many_paths

SYSTEM = """
let
  mk = name: refs: derivation {{
    inherit name refs; system = "x86_64-linux"; builder = "/bin/sh";
    args = [ "-c" "echo $refs > $out" ];
  }};
  parts = builtins.genList (at: mk "part${{toString at}}-1.${{toString at}}" []) {count};
in mk "nixos-system-desk-{version}" (parts ++ [ (mk "openssl-{version}" []) ])
"""


def build(store: NixStore, version: str, count: int = 8) -> str:
    return store.build(SYSTEM.format(version=version, count=count))


def asked(store: NixStore) -> Asked:
    programs = str(store.runtime / "usr/bin")
    conf = str(store.directory / "conf")
    return Asked(directories=(programs,), remote=str(store.root), conf_dir=conf)


def test_a_closure_is_what_stock_nix_says_it_is(nix_store: NixStore) -> None:
    system = build(nix_store, "1")
    said = json.loads(
        nix_store.run("nix", "path-info", "--json", "--json-format", "1", "--recursive", system)
    )
    with open_database(str(nix_store.root)) as database:
        infos = list(database.closure(system))
    assert [info.path for info in infos] == sorted(said)
    for info in infos:
        stock = said[info.path]
        assert info.nar_bytes == stock["narSize"]
        assert list(info.references) == sorted(stock["references"])
        assert (info.deriver, info.registered_at) == (stock["deriver"], stock["registrationTime"])
        hashed = nix_store.run("nix-store", "--query", "--hash", info.path)
        assert hashed == f"sha256:{base32.encode(bytes.fromhex(info.nar_sha256))}"


def test_the_digest_is_the_one_that_stock_tools_reckon(nix_store: NixStore) -> None:
    system = build(nix_store, "1")
    script = (
        'nix-store -qR "$1" | LC_ALL=C sort | while read p; do'
        ' printf \'%s %s\\n\' "$p" "$(nix-store -q --hash $p)"; done | sha256sum'
    )
    done = subprocess.run(
        ["sh", "-c", script, "sh", system], env=nix_store.env, capture_output=True, check=True
    )
    with open_database(str(nix_store.root)) as database:
        found = measure(database.closure(system))
    assert done.stdout.decode().split()[0] == found.sha256
    size = nix_store.run("nix", "path-info", "--closure-size", system).split()[1]
    assert found.nar_bytes == int(size)


def test_a_bill_of_sixteen_hundred_paths_is_what_stock_nix_knows(
    nix_store: NixStore, tmp_path: Path
) -> None:
    system = many_paths(nix_store, 1600)
    file = tmp_path / "desk.json"
    where = ("--root", str(nix_store.root), "--system", system)
    assert execute(["sbom", *where, "--output", str(file)]) == 0
    flags = ("--json", "--json-format", "1", "--recursive")
    said = json.loads(nix_store.run("nix", "path-info", *flags, system))
    read = json.loads(file.read_text())
    hashes = {
        one["packageFileName"]: one["checksums"][0]["checksumValue"] for one in read["packages"]
    }
    assert len(read["packages"]) == len(hashes) == 1600
    stock = {
        path: base64.b64decode(info["narHash"].removeprefix("sha256-")).hex()
        for path, info in said.items()
    }
    assert hashes == stock
    edges = sum(len(set(info["references"]) - {path}) for path, info in said.items())
    assert len(read["relationships"]) == edges + 1


def test_a_difference_names_the_packages_that_stock_nix_names(nix_store: NixStore) -> None:
    one, two = build(nix_store, "1"), build(nix_store, "2")
    with open_database(str(nix_store.root)) as database:
        found = diff(database.paths(one), database.paths(two), since=one)
    assert {(change.name, change.before, change.after) for change in found.changes} == {
        ("nixos-system-desk", ("1",), ("2",)),
        ("openssl", ("1",), ("2",)),
    }
    stock = nix_store.run("nix", "store", "diff-closures", one, two)
    assert "nixos-system-desk" in stock
    assert "openssl" in stock
    assert "part1" not in stock


def test_names_part_as_nix_parts_them(nix_store: NixStore) -> None:
    names = ["nix-2.34.8", "a-b", "x-", "y--1", "z-_1", "0-1", "openssl-3.0.14-bin", "a.b-1-c-2"]
    wanted = "[ " + " ".join(json.dumps(name) for name in names) + " ]"
    said = nix_store.eval(f"map builtins.parseDrvName {wanted}")
    assert [parse_name(name) for name in names] == [(one["name"], one["version"]) for one in said]


def test_base_32_is_that_of_nix(nix_store: NixStore) -> None:
    for text in ("", "a", "reconciler"):
        digest = hashlib.sha256(text.encode()).digest()
        said = nix_store.run("nix-hash", "--type", "sha256", "--to-base32", digest.hex())
        assert base32.encode(digest) == said


def test_what_is_built_while_we_read_is_not_seen(nix_store: NixStore) -> None:
    one = build(nix_store, "1")
    with open_database(str(nix_store.root)) as database:
        before = [info.path for info in database.closure(one)]
        two = build(nix_store, "2")
        assert database.info(two) is None
        assert [info.path for info in database.closure(one)] == before
    with open_database(str(nix_store.root)) as database:
        assert database.info(two) is not None


def test_programs_are_run_without_the_settings_of_a_user(
    nix_store: NixStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "user"
    (home / ".config/nix").mkdir(parents=True)
    (home / ".config/nix/nix.conf").write_text("substituters = https://evil.example\n")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / ".config"))
    monkeypatch.setenv("NIX_CONFIG", "max-jobs = 77")
    said = json.loads(run("nix", "config", "show", "--json", timeout_s=60, state=asked(nix_store)))
    assert said["substituters"]["value"] == []
    assert said["max-jobs"]["value"] == 2
    assert said["accept-flake-config"]["value"] is False
    options = (("max-jobs", "0"),)
    path = build(nix_store, "1", 1)
    answer = run("nix-store", "-q", path, timeout_s=60, options=options, state=asked(nix_store))
    assert answer.decode().strip() == path


def test_what_nix_says_on_its_way_out(nix_store: NixStore) -> None:
    gone = "/nix/store/00000000000000000000000000000000-gone"
    with pytest.raises(MachineError, match=r"nix-store ended with 1: error: path .* is not valid"):
        run("nix-store", "-q", "--hash", gone, timeout_s=60, state=asked(nix_store))
    assert attempt("nix", "--version", timeout_s=60, state=asked(nix_store)).exit == 0
