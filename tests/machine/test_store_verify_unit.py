"""The weekly verification of the store, with the limits of its unit and a real Nix."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.nix_runtime import NixStore, nix_runtime, open_nix
from tests.support.nixos_guest import NixosGuest, NixosSite
from tests.support.reconciler_module import MINIMAL, Evaluation

pytestmark = pytest.mark.nix

UNIT = "reconciler-store-verify.service"
RECORD = "/var/lib/reconciler/store-verify.json"
# The Nix of the rig may lie in a home or below /tmp; that of NixOS never does.
HERE = (
    "[Service]\nExecStart=\nExecStart={program} store verify --seconds 10800\n"
    "ProtectHome=no\nBindReadOnlyPaths={nix}\n"
)


@pytest.fixture
def machine(nixos: NixosSite) -> Iterator[NixosGuest]:
    with nixos.boot("verify") as guest:
        yield guest


def test_it_reads_the_whole_system_and_writes_its_record(
    machine: NixosGuest, tmp_path: Path
) -> None:
    unit = Evaluation(NixStore(open_nix(), tmp_path / "nix"), MINIMAL).units()[UNIT]
    program = machine.run("sh", "-c", "command -v reconciler").stdout.strip()
    machine.run("mkdir", "-p", "/var/lib/reconciler")
    machine.write(f"/run/systemd/system/{UNIT}", unit)
    machine.write(
        f"/run/systemd/system/{UNIT}.d/here.conf", HERE.format(program=program, nix=nix_runtime())
    )
    machine.run("systemctl", "daemon-reload")

    # NixOS has it always; a store that is mounted read-only is read through it.
    machine.run("systemd-run", "--unit=nix-daemon", "/run/current-system/sw/bin/nix", "daemon")
    machine.until("test", "-S", "/nix/var/nix/daemon-socket/socket")

    started = machine.run("systemctl", "start", UNIT, check=False, timeout=180)

    journal = machine.run("journalctl", "-u", UNIT, "--no-pager", "-o", "cat").stdout
    assert started.returncode == 0, journal
    record = json.loads(machine.read(RECORD))
    assert record["system"] == machine.running()
    assert machine.run("stat", "-c", "%U %a", RECORD).stdout.strip() == "root 644"
