"""The expectations document: what is declared comes out, and what is not does not.

`reconciler.model.expected` reads what Nix writes; facts that are easy to get wrong are shown one
by one (tests/nix/modules/facts.nix), and generated hosts are compared with a model in Python.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from reconciler.model.expected import parse
from tests.support.nix_modules import MODULES, ROOT, evaluate
from tests.support.nix_runtime import NixStore

KEY = "AAAAC3NzaC1lZDI1NTE5AAAAIE4oCfavx4qDaf7zjorHrYj/ikWSzD7/2i4zV5qKi4e+"
SYSTEM = "/nix/store/00000000000000000000000000000000-nixos-system-appliance-26.05"


@pytest.fixture(scope="module")
def facts(nix: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    store = NixStore(nix, tmp_path_factory.mktemp("facts"))
    return evaluate(store, f"import {MODULES}/facts.nix")


def host(tail: str) -> str:
    return (
        f"let t = import {ROOT}/nix/testing {{ }}; e = t.evalSystem {{ modules ="
        f" [ {MODULES}/host.nix ({{ pkgs, ... }}: {{ environment.systemPackages ="
        f" [ pkgs.restic pkgs.wireguard-tools pkgs.git ]; }}) ]; }}; in {tail}"
    )


def readable(document: dict[str, Any]) -> None:
    parse(json.dumps(document | {"system": SYSTEM}).encode())


def test_a_system_is_built_with_its_own_path_in_the_document(nix_store: NixStore) -> None:
    system = nix_store.build(host("e.config.system.build.toplevel"))
    raw = (nix_store.real(system) / "reconciler/expectations.json").read_bytes()
    document = parse(raw)
    assert document["system"] == system
    assert b"@system@" not in raw
    assert document["host"] == "appliance"
    assert document["revision"] is None, "nothing of a commit gets into a system"

    licences = json.loads((nix_store.real(system) / "reconciler/licences.json").read_text())
    assert licences["format"] == "reconciler-licences/1"
    names = {path.split("-", 1)[1]: ids for path, ids in licences["licences"].items()}
    assert names == {
        "restic-0.18.1": ["BSD-2-Clause"],
        "wireguard-tools-1.0.20250521": ["GPL-2.0-only"],
    }, "git has no licence here, and what is unsaid stays so"

    references = nix_store.run("nix-store", "--query", "--references", system).splitlines()
    assert {path.split("-", 1)[1] for path in references} <= {"nixos-system-appliance-26.05"}


def test_one_configuration_has_one_document(nix_store: NixStore, tmp_path: Path, nix: Path) -> None:
    other = NixStore(nix, tmp_path / "other")
    tail = host("e.config.system.build.toplevel.drvPath")
    assert evaluate(nix_store, tail) == evaluate(other, tail)


def test_the_order_of_modules_does_not_matter(nix_store: NixStore) -> None:
    first, second = evaluate(
        nix_store,
        f"let t = import {ROOT}/nix/testing {{ }};"
        f' parts = [ {MODULES}/host.nix {{ users.groups.b.members = [ "x" ]; '
        'boot.kernelModules = [ "z" "a" ]; } { users.groups.b.members = [ "a" ];'
        ' boot.kernelModules = [ "a" ]; } ];'
        " of = modules: (t.evalSystem { inherit modules; }).config.reconciler.expectations;"
        " in map (m: (of m).document) [ parts (t.lib.reverseList parts) ]",
    )
    assert first == second
    assert first["modules"]["load"] == ["a", "z"]


def test_no_document_without_the_module_switched_on(nix_store: NixStore) -> None:
    off = "{ reconciler.expectations.enable = false; }"
    script = evaluate(
        nix_store,
        f"let t = import {ROOT}/nix/testing {{ }}; e = t.evalSystem {{ modules ="
        f" [ {MODULES}/host.nix {off} ]; }}; in e.config.system.systemBuilderCommands",
    )
    assert script == ""


def test_containers_and_bare_hosts_are_read_too(facts: Any) -> None:
    readable(facts["container"])
    readable(facts["secrets"])
    assert facts["container"]["boot"] == {
        "kernel": None,
        "initrd": None,
        "modules": None,
        "params": [],
    }
    assert facts["container"]["units"]["run"] == []


def test_no_secret_gets_into_the_document(facts: Any) -> None:
    text = json.dumps(facts["secrets"])
    for secret in ("s3cr3t", "/run/secrets", "192.0.2.1", "$y$"):
        assert secret not in text
    logins = {user["name"]: user["login"] for user in facts["secrets"]["users"]}
    assert logins == {"demo": "password", "root": "password"}


def test_keys_are_told_from_options_and_comments(facts: Any) -> None:
    one = [{"user": "root", "type": "ssh-ed25519", "key": KEY}]
    keys = facts["keys"]
    assert keys["plain"] == keys["options"] == keys["twice"] == keys["file"] == one
    assert keys["comment"] == []
    assert keys["broken"] is False, "a line that is no key is refused, never left out"


def test_modes_of_wrappers_are_those_that_chmod_makes(facts: Any) -> None:
    assert facts["modes"] == {
        "setuid": "4511",
        "both": "6750",
        "taken": "0550",
        "octal": "2750",
        "unknown": False,
    }


def test_sshd_is_said_as_sshd_prints_it(facts: Any) -> None:
    lists = facts["sshd"]["lists"]
    assert lists["allowgroups"] == "a b"
    assert lists["ciphers"] == "x,y"
    assert lists["clientaliveinterval"] == "600"
    assert lists["permitrootlogin"] == "without-password"
    assert "loglevel" not in lists, "what is null is not written"
    assert facts["sshd"]["names"]["usepam"] == "yes"
    assert facts["sshd"]["off"] == {"enabled": False, "ports": [], "settings": {}}
    assert [(s["address"], s["port"]) for s in facts["sshd"]["addresses"]] == [
        ("192.0.2.7", 2022),
        ("2001:db8::7", 22),
    ]


@pytest.mark.parametrize(
    ("case", "runs"),
    [
        ("simple", True),
        ("remains", True),
        ("notInContainers", True),
        ("withAudit", True),
        ("withoutAudit", False),
        ("askedFor", False),
        ("byTarget", True),
        ("byService", True),
        ("oneshot", False),
        ("conditioned", False),
        ("askedAtStart", False),
        ("unwanted", False),
        ("disabled", False),
        ("added", False),
    ],
)
def test_a_unit_must_run_only_where_that_is_sure(facts: Any, case: str, runs: bool) -> None:
    assert ("demo.service" in facts["units"][case]) is runs


def test_timers_and_templates(facts: Any) -> None:
    assert "demo.timer" in facts["units"]["scheduled"]
    assert "demo@.service" not in json.dumps(facts["units"]["template"])


def test_who_keeps_the_clock(facts: Any) -> None:
    services = {case: time["service"] for case, time in facts["time"].items()}
    assert services == {
        "own": "systemd-timesyncd.service",
        "chrony": "chronyd.service",
        "ntp": "ntpd.service",
        "none": None,
    }
    assert len(facts["time"]["own"]["sources"]) == 4
