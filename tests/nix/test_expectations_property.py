"""Whatever a host declares is in its document, and nothing else is.

Hosts are generated as plain JSON, which Nix takes as a module; a model in Python says what the
document must hold. One process of Nix evaluates a whole batch.
"""

import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, TypeVar

import pytest

from reconciler.model.expected import parse
from tests.support.nix_modules import MODULES, evaluate
from tests.support.nix_runtime import NixStore

SYSTEM = "/nix/store/00000000000000000000000000000000-nixos-system-x-26.05"
NAMES = ("a", "b", "c1", "data", "zz")
HOSTS = 30
_T = TypeVar("_T")


class Hosts:
    """Hosts by the dice: few names and values, so that they meet often."""

    def __init__(self, seed: int) -> None:
        self.dice = Random(seed)

    def some(self, make: Callable[[], _T], most: int = 4) -> list[_T]:
        return [make() for _ in range(self.dice.randint(0, most))]

    def flag(self) -> bool:
        return self.dice.random() < 0.5

    def name(self) -> str:
        return self.dice.choice(NAMES)

    def port(self) -> int:
        return self.dice.choice([22, 80, self.dice.randint(1, 65_535)])

    def key(self) -> str:
        return f"ssh-ed25519 AAAA{self.dice.choice(['abcdefghijklmnop', '+/ABCDEFGHIJKLM2'])} x"

    def sysctl(self) -> Any:
        return self.dice.choice([None, True, False, -3, 0, 99, "1 2", ""])

    def opened(self) -> dict[str, Any]:
        return {"allowedTCPPorts": self.some(self.port), "allowedUDPPorts": self.some(self.port)}

    def user(self) -> dict[str, Any]:
        return {
            "isNormalUser": True,
            "uid": self.dice.choice([None, self.dice.randint(1000, 29_999)]),
            "extraGroups": self.some(lambda: self.dice.choice(["wheel", "users", "root"])),
            "hashedPassword": self.dice.choice([None, "!", "*", "$y$j9T$x$y"]),
            "openssh": {"authorizedKeys": {"keys": self.some(self.key, 2)}},
        }

    def mount(self) -> dict[str, Any]:
        return {
            "device": self.dice.choice(["/dev/mapper/a", "/dev/mapper/b", "/dev/sda1", "tmpfs"]),
            "fsType": self.dice.choice(["ext4", "tmpfs", "vfat"]),
            "options": [self.dice.choice(["nodev", "ro", "bind"]) for _ in range(2)],
        }

    def etc(self) -> dict[str, Any]:
        modes = ["symlink", "0440", "direct-symlink"]
        return {"source": "/run/x", "enable": self.flag(), "mode": self.dice.choice(modes)}

    def socket(self) -> dict[str, Any]:
        return {"port": self.port(), "protocol": self.dice.choice(["tcp", "udp"])}

    def named(self, make: Callable[[], _T], prefix: str = "") -> dict[str, _T]:
        return {prefix + self.name(): make() for _ in range(self.dice.randint(0, 3))}

    def host(self) -> dict[str, Any]:
        jobs = self.some(lambda: "0  4 * * *\troot x")
        devices = self.named(lambda: {"device": "/dev/sda2"})
        return {
            "boot": {
                "kernel": {"sysctl": self.named(self.sysctl, "kernel.")},
                "kernelModules": self.some(self.name),
                "blacklistedKernelModules": self.some(self.name),
                "initrd": {"luks": {"devices": devices}},
            },
            "users": {"users": self.named(self.user, "u"), "mutableUsers": self.flag()},
            "networking": {
                "firewall": self.opened()
                | {"enable": self.flag(), "interfaces": self.named(self.opened)},
                "nftables": {"enable": self.flag()},
            },
            "fileSystems": self.named(self.mount, "/"),
            "environment": {"etc": self.named(self.etc)},
            "services": {"cron": {"enable": self.flag(), "systemCronJobs": jobs}},
            "reconciler": {"expectations": {"sockets": self.some(self.socket, 2)}},
        }


@pytest.mark.parametrize("seed", [1, 2])
def test_a_document_says_what_was_declared_and_no_more(
    nix_store: NixStore, tmp_path: Path, seed: int
) -> None:
    hosts = Hosts(seed)
    batch = [hosts.host() for _ in range(HOSTS)]
    (tmp_path / "hosts.json").write_text(json.dumps(batch))
    documents = evaluate(
        nix_store, f"import {MODULES}/generated.nix {{ file = {tmp_path}/hosts.json; }}"
    )
    assert len(documents) == HOSTS
    for host, document in zip(batch, documents, strict=True):
        parse(json.dumps(document | {"system": SYSTEM}).encode())
        assert {part: document[part] for part in model(host)} == model(host)


def model(host: dict[str, Any]) -> dict[str, Any]:
    """The parts of the document that these hosts decide, without looking at how Nix makes them."""
    boot, cron = host["boot"], host["services"]["cron"]
    return {
        "sysctl": {n: word(v) for n, v in boot["kernel"]["sysctl"].items() if v is not None},
        "modules": {
            "load": sorted(set(boot["kernelModules"])),
            "deny": sorted(set(boot["blacklistedKernelModules"])),
        },
        "luks": sorted(boot["initrd"]["luks"]["devices"]),
        "mutable_users": host["users"]["mutableUsers"],
        "users": people(host),
        "keys": entries(
            {"user": name, "type": "ssh-ed25519", "key": line.split()[1]}
            for name, user in host["users"]["users"].items()
            for line in user["openssh"]["authorizedKeys"]["keys"]
        ),
        "firewall": firewall(host["networking"]),
        "mounts": mounts(host),
        "etc": {
            name: {"symlink": "link", "direct-symlink": "-> /run/x"}.get(entry["mode"], "file")
            for name, entry in host["environment"]["etc"].items()
            if entry["enable"]
        },
        "cron": {
            "enabled": cron["enable"],
            "jobs": ["0 4 * * * root x"] if cron["enable"] and cron["systemCronJobs"] else [],
        },
        "sockets": entries(
            {"address": None, "unit": None} | socket
            for socket in host["reconciler"]["expectations"]["sockets"]
        ),
    }


def word(value: Any) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)


def entries(found: Any) -> list[dict[str, Any]]:
    """Without twins, in the order of their canonical text."""
    texts = {json.dumps(e, sort_keys=True, separators=(",", ":")): e for e in found}
    return [texts[text] for text in sorted(texts)]


def people(host: dict[str, Any]) -> list[dict[str, Any]]:
    shell = "/run/current-system/sw/bin/bash"
    root = {"name": "root", "uid": 0, "group": "root", "groups": [], "home": "/root"}
    found = [root | {"shell": shell, "system": True, "login": "none"}]
    for name, user in host["users"]["users"].items():
        has_password = (user["hashedPassword"] or "!")[0] not in "!*"
        has_key = bool(user["openssh"]["authorizedKeys"]["keys"])
        found.append(
            {
                "name": name,
                "uid": user["uid"],
                "group": "users",
                "groups": sorted(set(user["extraGroups"])),
                "home": f"/home/{name}",
                "shell": shell,
                "system": False,
                "login": "password" if has_password else "key" if has_key else "none",
            }
        )
    return sorted(found, key=lambda user: str(user["name"]))


def firewall(networking: dict[str, Any]) -> dict[str, Any]:
    wall = networking["firewall"]
    places = [wall, *wall["interfaces"].values()] if wall["enable"] else []
    found = {f"tcp/{port}" for place in places for port in place["allowedTCPPorts"]}
    found |= {f"udp/{port}" for place in places for port in place["allowedUDPPorts"]}
    if wall["enable"]:
        found.add("udp/546")
    backend = "nftables" if networking["nftables"]["enable"] else "iptables"
    return {"enabled": wall["enable"], "backend": backend, "open": sorted(found)}


def mounts(host: dict[str, Any]) -> list[dict[str, Any]]:
    mapped = {f"/dev/mapper/{name}" for name in host["boot"]["initrd"]["luks"]["devices"]}
    found = [
        {
            "path": path,
            "type": fs["fsType"],
            "options": sorted(set(fs["options"])),
            "encrypted": fs["device"] in mapped
            and fs["fsType"] != "tmpfs"
            and "bind" not in fs["options"],
        }
        for path, fs in host["fileSystems"].items()
    ]
    return sorted(found, key=lambda mount: str(mount["path"]))
