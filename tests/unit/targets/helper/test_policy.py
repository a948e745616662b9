"""What the helper takes, and what no runbook of a NixOS host needs."""

from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from reconciler.model import operation as op
from reconciler.model.probe import UnitStatus
from reconciler.model.system_operation import OnSystem, Realise
from reconciler.targets.helper import policy
from reconciler.targets.helper.policy import refused

SAMPLE = op.RestoreSample(
    job="nightly",
    repository="/srv/backup",
    password_file="/run/secrets/restic",
    scratch="/var/lib/reconciler/scratch/nightly",
    record="/var/lib/reconciler/restore-tests/nightly.json",
    sample_percent=5,
    timeout_s=60,
)


@pytest.mark.parametrize(
    "operation",
    [
        op.UnitJob("restart", "chronyd.service"),
        op.UnitJob("stop", "sshd@3-192.0.2.1:22.service"),
        op.UnitJob("start", "backup.timer"),
        op.UnitProperty("nginx.service", "MemoryHigh", 1),
        Realise("/nix/store/x"),
    ],
)
def test_what_runbooks_of_a_nixos_host_do_is_taken(operation: op.Operation) -> None:
    assert refused(operation) is None


@pytest.mark.parametrize(
    "unit",
    [
        "poweroff.target",
        "debug-shell.service",
        "rescue.service",
        "emergency.service",
        "systemd-reboot.service",
        "systemd-soft-reboot.service",
        "systemd-suspend-then-hibernate.service",
        "systemd-storagetm.service",
        "systemd-tpm2-clear.service",
        "systemd-factory-reset-request.service",
        "systemd-makefs@dev-sda1.service",
        "systemd-mkswap@dev-sda1.service",
        "systemd-repart.service",
        "systemd-nspawn@x.service",
        "systemd-journal-gatewayd.socket",
        "modprobe@sctp.service",
        "reconciler.service",
        "reconciler-helper.socket",
        "user.slice",
        "session-1.scope",
        "../x.service",
        "a b.service",
        "chronyd",
        "chronyd.service\n",
        "",
    ],
)
def test_a_unit_that_no_step_may_touch_is_refused(unit: str) -> None:
    assert refused(op.UnitJob("start", unit)) is not None
    assert refused(op.UnitProperty(unit, "IOWeight", 1)) is not None


@pytest.mark.parametrize(
    "operation",
    [
        op.WriteFile("/etc/x", b""),
        op.SetAccess("/etc/shadow", 0o644, 0, 0),
        op.WriteSysctl("kernel.core_pattern", "|/x"),
        op.Run(("usermod", "-o", "-u", "0", "x")),
        op.UnitFile("enable", "x.service"),
        op.DaemonReload(),
        op.WaitUntil(UnitStatus(("x.service",)), "x", ("y",)),
    ],
)
def test_what_nix_owns_is_refused_by_its_kind(operation: op.Operation) -> None:
    assert refused(operation) == f"{type(operation).__name__} is nothing that steps do on NixOS"


def test_every_kind_is_decided() -> None:
    taken = {op.UnitJob, op.UnitProperty, op.RestoreSample, *get_args(OnSystem)}
    left = {op.WriteFile, op.SetAccess, op.WriteSysctl, op.Run, op.UnitFile, op.DaemonReload}
    assert set(get_args(op.Operation)) == taken | left | {op.WaitUntil}


@pytest.mark.parametrize(
    "change",
    [
        {"scratch": "/etc"},
        {"scratch": "/var/lib/reconciler/scratch/../../../etc"},
        {"record": "/etc/passwd"},
        {"record": "/var/lib/reconciler/../x.json"},
        {"record": "/var/lib/reconciler/helper/accepted.json/../x.json"},
        {"record": "/var/lib/reconciler/helper/accepted.json"},
        {"record": "/var/lib/reconciler/activation/order.json"},
        {"repository": "sftp:-oProxyCommand=x:/srv"},
        {"repository": "sftp:me@-Fx:/srv"},
        {"repository": "sftp://-Fx/srv"},
        {"password_file": "-o"},
        {"repository": "rclone:x:y"},
        {"repository": "rest:http://192.0.2.1/"},
        {"repository": "-h"},
    ],
)
def test_a_restore_test_that_works_elsewhere_is_refused(change: dict[str, str]) -> None:
    assert refused(replace(SAMPLE, **change)) is not None


def test_a_folder_that_somebody_else_owns_is_no_place_to_restore_into(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy, "_shared", lambda _path: None)
    assert refused(SAMPLE) is None
    monkeypatch.undo()
    shared = tmp_path / "shared"
    shared.mkdir(mode=0o777)
    shared.chmod(0o777)
    said = policy._shared(str(shared / "scratch" / "nightly"))
    assert said is not None
    assert "can be changed by others than root" in said
    (tmp_path / "link").symlink_to(shared)
    assert policy._shared(str(tmp_path / "link" / "x")) is not None
