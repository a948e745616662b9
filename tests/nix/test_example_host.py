"""The appliance of the example and of a new fleet: what their two files speak of, they say alike.

The `.yaml` of a new fleet is the example's: `reconciler init` puts it there, the template the rest.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from reconciler.desired import strict_yaml
from reconciler.model import expected
from reconciler.model.host import Host
from tests.support.image import PROJECT
from tests.support.nix_modules import evaluate
from tests.support.nix_runtime import NixStore

FOLDER = PROJECT / "hosts/example-clinic"
_TEMPLATE = PROJECT / "nix/templates/fleet"
MODULES = {
    "example": f"{FOLDER}/appliance.nix",
    "template": f"{_TEMPLATE}/nix/common.nix {_TEMPLATE}/hosts/elm-street/appliance.nix",
}


@pytest.fixture(scope="module")
def facts() -> Host:
    """What the .yaml declares."""
    file = FOLDER / "appliance.yaml"
    return strict_yaml.validate(strict_yaml.load(file.read_bytes(), file.name), Host)


@pytest.fixture(scope="module", params=MODULES.values(), ids=MODULES)
def document(
    request: pytest.FixtureRequest, nix: Path, tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, Any]:
    """What the .nix declares, as it stands in the system."""
    store = NixStore(nix, tmp_path_factory.mktemp("nix"))
    known = '{ client = "example-clinic"; host = "appliance"; enable = true; }'
    made = evaluate(
        store,
        f"let testing = import {PROJECT}/nix/testing {{ }};"
        " inherit (testing.evalSystem { modules ="
        f" [ {PROJECT}/nix/modules {request.param} {{ services.reconciler = {known};"
        ' networking.hostName = "appliance"; } ]; }) config;'
        " in config.reconciler.expectations.document",
    )
    made["system"] = "/nix/store/00000000000000000000000000000000-nixos-system-appliance"
    expected.parse(json.dumps(made).encode())
    document: Mapping[str, Any] = made
    return document


def test_accounts_and_administrators(facts: Host, document: Mapping[str, Any]) -> None:
    people = {user["name"] for user in document["users"] if not user["system"]}
    (wheel,) = [group for group in document["groups"] if group["name"] == "wheel"]

    assert set(facts.declares.accounts) == people
    assert set(facts.declares.admins) == set(wheel["members"])
    assert set(facts.declares.ssh_keys) == {key["key"] for key in document["keys"]} == set()


def test_sockets_and_ports(facts: Host, document: Mapping[str, Any]) -> None:
    outside = {f"{s['protocol']}/{s['port']}" for s in document["sockets"] if s["address"] is None}

    # What networkd and resolved bind to ask is the release's own, as LNX-EXP-006 knows.
    asking = {"udp/68", "udp/546", "tcp/5355", "udp/5355"}
    assert set(facts.declares.sockets) == outside | asking
    assert set(facts.declares.open_ports) == set(document["firewall"]["open"])


def test_units_mounts_and_backups(facts: Host, document: Mapping[str, Any]) -> None:
    running = set(document["units"]["run"])
    assert {unit.unit for unit in facts.declares.units} <= running
    ways = {way.removeprefix("unit:") for way in facts.access_path if way.startswith("unit:")}
    # What networkd brings along is the release's own, which the small library does not know.
    assert ways - {"systemd-networkd.service", "systemd-resolved.service"} <= running

    assert {m.path for m in facts.declares.mounts} == {m["path"] for m in document["mounts"]}
    assert {(b.job, b.unit) for b in facts.declares.backups} == {
        (b["job"], b["unit"]) for b in document["backups"]
    }
