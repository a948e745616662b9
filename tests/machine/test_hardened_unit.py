"""The daemon's unit as the NixOS module writes it, in a real systemd: it sees what root sees.

A limit that hides something from the daemon would be worse than none: what it cannot see it calls
unknown at best, and at worst absent.
"""

import json
import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support.clinic import OF_THE_HOST, Clinic
from tests.support.clinic_fleet import HOME as SHARED
from tests.support.image import PROJECT
from tests.support.nix_runtime import NixStore, open_nix
from tests.support.reconciler_module import MINIMAL, Evaluation

pytestmark = pytest.mark.machine

UNIT = "reconciler.service"
HOME = "/var/lib/reconciler"
ONCE = """\
[Service]
Type=oneshot
Restart=no
ExecStart=
ExecStart={program} run --once --dry-run --json --config {home}/reconciler.yaml
SuccessExitStatus=1 3
StandardOutput=truncate:{home}.json
StandardError=journal
"""
"""One look in place of the daemon; everything else stays as the module has it."""


KEY = """{ services.reconciler = {
  evidence.key = "credential:appliance";
  credentials.appliance = { source = "/var/lib/reconciler/keys/appliance"; encrypted = false; };
}; }"""
"""Root's file, which systemd reads for the service."""


@pytest.fixture
def unit(tmp_path: Path) -> str:
    """The unit file of a machine that says little more than it must."""
    host = Evaluation(NixStore(open_nix(), tmp_path / "nix"), MINIMAL, KEY)
    return host.units()[UNIT]


def install(clinic: Clinic, unit: str) -> None:
    """Enrol as on NixOS: all is root's but the ledger and the state, which the unit's user owns."""
    guest = clinic.guest
    nobody = ("--system", "--user-group", "--shell", "/usr/sbin/nologin")
    guest.run("useradd", *nobody, "--home-dir", f"{HOME}/state", "reconciler")
    guest.run("mkdir", "-p", HOME)
    guest.run("cp", "-a", f"{SHARED}/.", HOME)
    guest.run("chmod", "0755", HOME, f"{HOME}/trust")
    guest.run("chmod", "0700", f"{HOME}/keys")
    guest.run("rm", "-rf", f"{HOME}/state")
    # The fleet stands for a server; that of others is not opened by libgit2.
    guest.run("chown", "-R", "reconciler:", f"{HOME}/evidence", f"{HOME}/fleet")
    settings = guest.read(f"{HOME}/reconciler.yaml")
    assert "key: keys/appliance" in settings
    changed = settings.replace("key: keys/appliance", "key: credential:appliance")
    guest.write(f"{HOME}/reconciler.yaml", changed)
    program = guest.run("sh", "-c", "command -v reconciler").stdout.strip()
    guest.write(f"/etc/systemd/system/{UNIT}", unit)
    drop_in = ONCE.format(program=program, home=HOME)
    guest.write(f"/etc/systemd/system/{UNIT}.d/once.conf", drop_in)
    guest.run("systemctl", "daemon-reload")


def look(clinic: Clinic) -> Mapping[str, Any]:
    """What the unit finds."""
    started = clinic.guest.run("systemctl", "start", UNIT, timeout=180, check=False)
    journal = clinic.guest.run("journalctl", "-u", UNIT, "--no-pager", "-o", "cat").stdout
    assert started.returncode == 0, journal
    document: Mapping[str, Any] = json.loads(clinic.guest.read(f"{HOME}.json"))
    return document


def look_by_hand(clinic: Clinic) -> Mapping[str, Any]:
    """What the command of the page finds; with a key that is a credential, as the page says."""
    page = (PROJECT / "docs/nixos.md").read_text()
    command = re.search(r"^systemd-run .*?--dry-run$", page, re.MULTILINE | re.DOTALL)
    assert command is not None
    start, *words = shlex.split(command[0].replace("\\\n", " "))
    key = f"--property=LoadCredential=appliance:{HOME}/keys/appliance"
    argv = (start, key, *words, "--json", "--config", f"{HOME}/reconciler.yaml")
    said = clinic.guest.run(*argv, timeout=180, check=False)
    assert said.stdout, said.stderr
    document: Mapping[str, Any] = json.loads(said.stdout)
    return document


def statuses(document: Mapping[str, Any]) -> dict[str, str]:
    """By rule; what changes with the load of this machine is left out."""
    findings = {f["rule"]: f["status"] for f in document["findings"]}
    return {rule: status for rule, status in findings.items() if rule not in OF_THE_HOST}


def test_the_unit_finds_what_root_finds_and_without_its_capabilities_says_so(
    clinic: Clinic, unit: str
) -> None:
    as_root = statuses(clinic.dry_run().document)
    install(clinic, unit)

    limited = statuses(look(clinic))

    assert limited == as_root
    assert list(as_root.values()).count("pass") > 20, "or equal says little"
    assert statuses(look_by_hand(clinic)) == as_root

    bare = "[Service]\nAmbientCapabilities=\nCapabilityBoundingSet=\n"
    clinic.guest.write(f"/etc/systemd/system/{UNIT}.d/bare.conf", bare)
    clinic.guest.run("systemctl", "daemon-reload")
    blind = statuses(look(clinic))
    changed = {rule: blind[rule] for rule in as_root if blind[rule] != as_root[rule]}
    assert {"firewall", "root-password-locked", "ssh-root-login"} <= changed.keys()
    assert set(changed.values()) == {"unknown"}, "what cannot be seen is neither good nor bad"
