"""The helper behind its socket in a real systemd: a reconciler without root heals through it."""

from pathlib import Path

import pytest

from tests.support.clinic import HOME, Clinic

pytestmark = pytest.mark.machine

SOCKET = """\
[Socket]
ListenStream=/run/reconciler/helper.sock
SocketGroup=reconciler
SocketMode=0660
Accept=no
"""
SERVICE = """\
[Service]
Type=notify
ExecStart={program} helper --config {home}/reconciler.yaml --user reconciler
"""
BRIDGE = "clinic-bridge.service"
AS_USER = ("systemd-run", "--quiet", "--wait", "--pipe", "-p", "User=reconciler")


def test_a_service_is_healed_by_a_user_who_could_not(clinic: Clinic) -> None:
    guest = clinic.guest
    guest.run("useradd", "--system", "--user-group", "reconciler")
    program = guest.run("sh", "-c", "command -v reconciler").stdout.strip()
    units = Path("/etc/systemd/system")
    guest.write(str(units / "reconciler-helper.socket"), SOCKET)
    service = SERVICE.format(program=program, home=HOME)
    guest.write(str(units / "reconciler-helper.service"), service)
    guest.run("systemctl", "daemon-reload")
    guest.run("systemctl", "start", "reconciler-helper.socket")
    guest.run("systemctl", "stop", BRIDGE)
    asks = (
        "from pathlib import Path\n"
        "from reconciler.model.operation import UnitJob, WriteFile\n"
        "from reconciler.targets.helper.client import HelperTarget\n"
        "from reconciler.targets.linux.target import LinuxTarget\n"
        "target = HelperTarget(LinuxTarget(), Path('/run/reconciler/helper.sock'))\n"
        f"for operation in (UnitJob('start', '{BRIDGE}'), WriteFile('/etc/x', b'')):\n"
        "    result = target.carry_out(operation)\n"
        "    print(result.ok, result.reason)\n"
    )
    said = guest.run(*AS_USER, "python3", "-c", asks, timeout=60).stdout.splitlines()
    assert said[0].startswith("True")
    assert said[1] == "False the helper refused: WriteFile is nothing that steps do on NixOS"
    assert guest.run("systemctl", "is-active", BRIDGE).stdout.strip() == "active"
    assert guest.run("test", "-e", "/etc/x", check=False).returncode == 1

    nobody = ("systemd-run", "--quiet", "--wait", "--pipe", "-p", "User=nobody")
    denied = guest.run(*nobody, "python3", "-c", asks, timeout=60).stdout.splitlines()
    assert all("cannot be reached" in line for line in denied)
    journal = guest.run("journalctl", "-u", "reconciler-helper", "-o", "cat", "--no-pager").stdout
    assert f"UnitJob verb=start unit={BRIDGE} for pid" in journal
