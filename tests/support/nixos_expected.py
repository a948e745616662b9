"""The two documents of a test system: what is expected of its machine, and licences.

In a real configuration Nix computes them (`nix/expectations.nix`); here they follow from what a
`System` says, for the Debian guest that it runs on.
"""

import re
from collections.abc import Mapping
from typing import Any

from tests.support.nixos_systems import System

__all__ = ["expectations", "licences"]

_ADMIN = "clinicadmin"
_ROOT = "/nix/store"
_REAPPLY = (
    "chrony.service",
    "nftables.service",
    "suid-sgid-wrappers.service",
    "systemd-sysctl.service",
    "systemd-tmpfiles-resetup.service",
)


def expectations(system: System) -> Mapping[str, Any]:
    """The whole document, ``reconciler-expectations/1``; ``@out@`` is the system's own path."""
    return {
        "format": "reconciler-expectations/1",
        "system": "@out@",
        "host": system.host,
        "release": "26.05",
        "revision": None,
        "boot": {
            "kernel": "@out@/kernel",
            "initrd": "@out@/initrd",
            "modules": "@out@/kernel-modules",
            "params": list(system.params),
        },
        "units": _units(system),
        "sysctl": _sysctl(system),
        "users": sorted(_users(system), key=lambda user: user["name"]),
        "groups": sorted(
            (
                {"name": g["name"], "gid": g["gid"], "members": sorted(g["members"])}
                for g in system.groups
            ),
            key=lambda group: group["name"],
        ),
        "mutable_users": system.mutable_users,
        "keys": _keys(system),
        "sockets": _sockets(),
        "firewall": {"enabled": True, "backend": "nftables", "open": ["tcp/22"]},
        "mounts": [
            {
                "path": "/run/lock",
                "type": "tmpfs",
                "options": ["nodev", "noexec", "nosuid"],
                "encrypted": False,
            }
        ],
        "luks": [],
        "swap": [],
        "time": {
            "service": "chrony.service",
            "sources": ["192.0.2.11", "192.0.2.12", "192.0.2.13"],
            "nts": False,
        },
        "certificates": [
            {"name": "portal", "path": "/etc/ssl/clinic/portal.crt", "unit": "acme-portal.service"}
        ],
        "backups": [
            {
                "job": "nightly",
                "unit": "restic-backups-nightly.service",
                "timer": "restic-backups-nightly.timer",
            }
        ],
        "sshd": {
            "enabled": True,
            "ports": [22],
            "settings": {"passwordauthentication": "no", "permitrootlogin": "no"},
        },
        "pam": {"sshd": {"faillock": True, "unix": True}},
        "wrappers": sorted(
            (
                {
                    "name": one["name"],
                    "owner": one["owner"],
                    "group": one["group"],
                    "mode": one["mode"],
                    "capabilities": "",
                }
                for one in system.wrappers
            ),
            key=lambda wrapper: wrapper["name"],
        ),
        "cron": {"enabled": False, "jobs": []},
        "modules": {"load": [], "deny": ["usb-storage"]},
        "etc": {
            **{path: "link" if f.mode == "symlink" else "file" for path, f in system.etc.items()},
            "systemd/system": "link",
        },
        "reapply": sorted(unit for unit in _REAPPLY),
    }


def licences(system: System) -> Mapping[str, Any]:
    """No path is known before it is built, so the packages are named by what they are."""
    return {"format": "reconciler-licences/1", "licences": {}} if system.packages else {}


def _units(system: System) -> Mapping[str, list[str]]:
    services = [name for name in system.units if name.endswith(".service")]
    wanted = {unit for units in system.wants.values() for unit in units}
    ends = [name for name in services if _ends(system.units[name]) or name not in wanted]
    run = {"chrony.service", "ssh.service", *(set(services) - set(ends))}
    return {
        "run": sorted(run),
        "timers": sorted(name for name in system.units if name.endswith(".timer")),
        "sockets": [],
        "oneshot": sorted(ends),
    }


def _ends(text: str) -> bool:
    return "Type=oneshot" in text


def _sysctl(system: System) -> Mapping[str, str]:
    text = system.etc["sysctl.d/60-nixos.conf"].text
    return dict(re.findall(r"^(\S+) = (\S+)$", text, re.MULTILINE))


def _users(system: System) -> list[dict[str, Any]]:
    names = {group["gid"]: group["name"] for group in system.groups}
    return [
        {
            "name": user["name"],
            "uid": user["uid"],
            "group": names[user["gid"]],
            "groups": sorted(g["name"] for g in system.groups if user["name"] in g["members"]),
            "home": user["home"],
            "shell": user["shell"],
            "system": user["uid"] < 1000 or user["name"] == "nobody",
            "login": "key" if user["name"] == _ADMIN else "none",
        }
        for user in system.users
    ]


def _keys(system: System) -> list[Mapping[str, str]]:
    found = []
    for path, file in sorted(system.etc.items()):
        if path.startswith("ssh/authorized_keys.d/"):
            for line in file.text.splitlines():
                kind, key, *_ = line.split()
                found.append({"user": path.rpartition("/")[2], "type": kind, "key": key})
    return sorted(found, key=lambda key: (key["user"], key["type"], key["key"]))


def _sockets() -> list[Mapping[str, Any]]:
    """What traffic from outside reaches; loopback is nobody's business."""
    return [
        {"protocol": "tcp", "port": 22, "address": None, "unit": "ssh.service"},
    ]
