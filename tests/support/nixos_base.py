"""The system that the tests' NixOS guest starts with: the clinic's appliance, all of it declared.

What the Debian image has in its own /etc for the clinic's units, kernel settings, firewall and
log-ins is declared here and comes from the store; the rest of Debian stays a distribution, below
/usr.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from tests.support.guest import ADMIN
from tests.support.image import PROJECT
from tests.support.nixos_expected import expectations, licences
from tests.support.nixos_systems import Etc, System

__all__ = ["FIREWALL", "KEYS", "MachineFacts", "base_system", "clinic_units", "documented"]

ROOTFS = PROJECT / "ci/rootfs/etc"
KEYS = f"ssh/authorized_keys.d/{ADMIN}"
SSHD = "ssh/sshd_config.d/10-clinic.conf"
SYSCTL = "sysctl.d/60-nixos.conf"
FIREWALL = "nftables.conf"

NIX_CONF = """\
allowed-users = root
auto-optimise-store = false
build-users-group =
experimental-features = nix-command flakes
flake-registry =
max-jobs = 1
require-sigs = true
sandbox = false
substituters =
trusted-users = root
"""

WRAPPERS = (("sudo", "root", "root", "4555"), ("passwd", "root", "root", "4555"))

REACTIVATION = """\
[Unit]
Description=Take up again what is applied at boot
"""
WRAPPERS_UNIT = """\
[Unit]
Description=Setuid programs that the system declares
DefaultDependencies=no
After=local-fs.target
Before=sysinit.target sysinit-reactivation.target shutdown.target
Conflicts=shutdown.target
PartOf=sysinit-reactivation.target
X-Restart-Triggers={digest}

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/run/current-system/bin/make-wrappers
"""
TMPFILES_UNIT = """\
[Unit]
Description=Make temporary files again after a switch
Before=sysinit-reactivation.target
DefaultDependencies=no

[Service]
Type=oneshot
ExecStart=/usr/bin/systemd-tmpfiles --create --exclude-prefix=/dev
SuccessExitStatus=DATAERR CANTCREAT
"""
NFTABLES_UNIT = """\
[Unit]
Description=Packet filter
DefaultDependencies=no
Before=network-pre.target shutdown.target
Wants=network-pre.target
Conflicts=shutdown.target
X-ReloadIfChanged=true
X-Reload-Triggers={digest}

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/nft -f /etc/nftables.conf
ExecReload=/usr/sbin/nft -f /etc/nftables.conf
ExecStop=/usr/sbin/nft flush ruleset
"""
TRIGGER = "[Unit]\nX-Restart-Triggers={digest}\n"


@dataclass(frozen=True)
class MachineFacts:
    """What only the image knows: its accounts, and the key that opens it."""

    passwd: str
    group: str
    admin_keys: str


def clinic_units() -> dict[str, str]:
    """The clinic's own units and drop-ins, as the image has them, by path."""
    root = ROOTFS / "systemd/system"
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)): path.read_text() for path in files}


def base_system(facts: MachineFacts) -> System:
    """The healthy appliance, with its documents."""
    system = System(
        etc={
            "nix/nix.conf": Etc(NIX_CONF),
            KEYS: Etc(facts.admin_keys, "0444"),
            SSHD: Etc((ROOTFS / SSHD).read_text()),
            SYSCTL: Etc((ROOTFS / "sysctl.d/60-clinic.conf").read_text()),
            FIREWALL: Etc((ROOTFS / FIREWALL).read_text()),
        },
        users=tuple(_users(facts.passwd)),
        groups=tuple(_groups(facts.group)),
        wrappers=tuple(
            {"name": name, "program": f"/usr/bin/{name}", "owner": owner, "group": group, "mode": m}
            for name, owner, group, m in WRAPPERS
        ),
    )
    for name, text in clinic_units().items():
        wanted = re.search(r"^WantedBy=(\S+)$", text, re.MULTILINE)
        at_boot = {"restic-backups-nightly.timer": "timers.target"}.get(name)
        system = system.with_unit(name, text, wanted_by=wanted[1] if wanted else at_boot or "")
    return documented(system)


def documented(system: System) -> System:
    """The system with units that carry out what it declares, and documents that say it.

    Call it after every change of what is declared: triggers and documents follow from the rest.
    """
    wrappers = _digest(str(system.wrappers))
    made = (
        ("suid-sgid-wrappers.service", WRAPPERS_UNIT.format(digest=wrappers), "sysinit.target"),
        ("sysinit-reactivation.target", REACTIVATION, ""),
        ("systemd-tmpfiles-resetup.service", TMPFILES_UNIT, "sysinit-reactivation.target"),
        (
            "nftables.service",
            NFTABLES_UNIT.format(digest=_digest(system.etc[FIREWALL].text)),
            "sysinit.target",
        ),
        (_overrides("systemd-sysctl.service"), _trigger(system, SYSCTL), ""),
        (_overrides("ssh.service"), _trigger(system, SSHD), ""),
    )
    for name, text, wanted_by in made:
        system = system.with_unit(name, text, wanted_by=wanted_by)
    system = system.with_unit(
        "suid-sgid-wrappers.service",
        WRAPPERS_UNIT.format(digest=wrappers),
        wanted_by="sysinit-reactivation.target",
    )
    documents = {"expectations.json": expectations(system), "licences.json": licences(system)}
    return replace(system, documents=documents)


def _overrides(unit: str) -> str:
    return f"{unit}.d/overrides.conf"


def _trigger(system: System, path: str) -> str:
    return TRIGGER.format(digest=_digest(system.etc[path].text))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _users(passwd: str) -> list[Mapping[str, Any]]:
    rows = [line.split(":") for line in passwd.splitlines()]
    names = ("name", "x", "uid", "gid", "gecos", "home", "shell")
    users = [dict(zip(names, row, strict=True)) for row in rows]
    return [{**user, "uid": int(user["uid"]), "gid": int(user["gid"])} for user in users]


def _groups(group: str) -> list[Mapping[str, Any]]:
    rows = [line.split(":") for line in group.splitlines()]
    return [
        {"name": name, "gid": int(gid), "members": [one for one in members.split(",") if one]}
        for name, _, gid, members in rows
    ]
