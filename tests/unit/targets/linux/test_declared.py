"""Probes that look at what the expectations name."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from reconciler.model.answer import Answer
from reconciler.model.nixos_probe import DeclaredFiles, DeclaredPaths, DeclaredSysctls
from reconciler.model.probe import Probe
from reconciler.targets.linux.target import LinuxTarget
from tests.support.vectors import ROOT

RECORDED = json.loads((ROOT / "LNX-EXP-001" / "good" / "raw.json").read_text())
EXPECTED: dict[str, Any] = RECORDED["answers"][0]["data"]


def asked(probe: Probe, root: str = "/", **changes: Any) -> Answer:
    answer = Answer("ok", {**EXPECTED, "document": {**EXPECTED["document"], **changes}})
    return LinuxTarget(root=root, internal=lambda _topic: answer).ask([probe], 5)[probe]


def test_live_values_have_the_declared_names() -> None:
    names = ("kernel.ostype", "kernel/osrelease", "kernel.no_such", "net.ipv4.conf.*.rp_filter")
    said = asked(DeclaredSysctls(), sysctl=dict.fromkeys(names, "1")).data
    assert said["values"]["kernel.ostype"] == "Linux"
    assert (
        said["values"]["kernel/osrelease"] == Path("/proc/sys/kernel/osrelease").read_text().strip()
    )
    assert said["values"]["kernel.no_such"] is None
    assert "net/ipv4/conf/lo/rp_filter" in said["matching"]["net.ipv4.conf.*.rp_filter"]


def test_what_can_only_be_written_is_told_apart() -> None:
    said = asked(DeclaredSysctls(), sysctl={"net.ipv4.route.flush": "1"}).data
    assert said["unreadable"] == ["net.ipv4.route.flush"]


def test_paths_lead_where_they_lead(tmp_path: Path) -> None:
    (tmp_path / "disk").touch()
    (tmp_path / "by-label").symlink_to("disk")
    swap = [{"device": str(tmp_path / one), "encrypted": False} for one in ("by-label", "gone")]
    said = asked(DeclaredPaths(), swap=swap, certificates=[]).data
    assert said == {
        str(tmp_path / "by-label"): str((tmp_path / "disk").resolve()),
        str(tmp_path / "gone"): None,
    }


@pytest.fixture
def image(tmp_path: Path) -> Path:
    store = tmp_path / EXPECTED["system"].removeprefix("/") / "etc"
    for directory in (store, tmp_path / "etc"):
        directory.mkdir(parents=True)
        (directory / "sudoers").write_text("root ALL=(ALL) ALL\n")
    (store / "sudoers.mode").write_text("0440\n")
    (tmp_path / "etc/sudoers").chmod(0o440)
    return tmp_path


def test_a_copy_is_compared_with_what_it_is_a_copy_of(image: Path) -> None:
    etc = {"sudoers": "file", "hosts": "link"}
    whole = {"same": True, "mode": "0440", "declared_mode": "0440", "owned": True}
    assert asked(DeclaredFiles(), str(image), etc=etc).data == {"sudoers": whole}
    (image / "etc/sudoers").chmod(0o666)
    (image / "etc/sudoers").write_text("mallory ALL=(ALL) NOPASSWD: ALL\n")
    assert asked(DeclaredFiles(), str(image), etc=etc).data == {
        "sudoers": {"same": False, "mode": "0666", "declared_mode": "0440", "owned": True}
    }


@pytest.mark.parametrize(
    ("uid", "gid", "owned"),
    [
        ("+{uid}", "+{gid}", True),
        ("mallory", "wheel", True),
        ("+{uid}1", "+{gid}", False),
        ("+{uid}", "staff", False),
        ("nobody", "wheel", False),
        ("", "wheel", False),
    ],
)
def test_a_copy_belongs_to_whom_the_system_says(
    image: Path, uid: str, gid: str, owned: bool
) -> None:
    mine = {"uid": os.geteuid(), "gid": os.getegid()}
    (image / "etc/passwd").write_text(f"nobody:x:65533:1::/:/x\nmallory:x:{mine['uid']}:1::/:/x\n")
    (image / "etc/group").write_text(f"staff:x:65533:\nwheel:x:{mine['gid']}:mallory\n")
    beside = image / EXPECTED["system"].removeprefix("/") / "etc"
    (beside / "sudoers.uid").write_text(f"{uid.format(**mine)}\n")
    (beside / "sudoers.gid").write_text(f"{gid.format(**mine)}\n")
    said = asked(DeclaredFiles(), str(image), etc={"sudoers": "file"}).data
    assert said["sudoers"]["owned"] is owned


@pytest.mark.parametrize("instead", ["nothing", "link", "directory"])
def test_what_is_no_file_is_left_out(image: Path, instead: str) -> None:
    (image / "etc/sudoers").unlink()
    if instead == "link":
        (image / "etc/sudoers").symlink_to("/etc/hosts")
    if instead == "directory":
        (image / "etc/sudoers").mkdir()
    assert asked(DeclaredFiles(), str(image), etc={"sudoers": "file"}).data == {}


def test_a_path_that_leads_out_of_etc_is_refused(image: Path) -> None:
    answer = asked(DeclaredFiles(), str(image), etc={"../x": "file"})
    assert answer == Answer("error", reason="a declared path leads out of /etc", ms=answer.ms)


@pytest.mark.parametrize("probe", [DeclaredFiles(), DeclaredPaths(), DeclaredSysctls()], ids=repr)
def test_without_expectations_nothing_is_answered(probe: Probe) -> None:
    absent = Answer("absent", reason="the system is not in the store yet")
    target = LinuxTarget(internal=lambda _topic: absent)
    assert target.ask([probe], 5)[probe].status == "absent"
    odd = Answer("ok", {"system": "/tmp/x", "document": {}})
    assert LinuxTarget(internal=lambda _topic: odd).ask([probe], 5)[probe].status == "error"
    broken = Answer("ok", {**EXPECTED, "document": {"sysctl": 1, "etc": 1, "certificates": 1}})
    assert LinuxTarget(internal=lambda _topic: broken).ask([probe], 5)[probe].status == "error"
