"""A walk over file systems: whole or not, what is found, and who may not vouch for it."""

import os
import struct
import time
from pathlib import Path

import pytest

from reconciler.model.answer import Answer
from reconciler.model.nixos_probe import SetuidFiles
from reconciler.targets.linux.allow import AllowList
from reconciler.targets.linux.capabilities import file_capabilities
from reconciler.targets.linux.mount_table import Mounted
from reconciler.targets.linux.session import Session
from reconciler.targets.linux.setuid import Walk, _in_store, _in_use, _not_below, _wrappers
from reconciler.targets.linux.tree import HostTree

NEVER = float("inf")
NET_RAW = struct.pack("<5I", 0x02000001, 1 << 13, 0, 0, 0)


def mounted(point: Path, type_: str = "ext4", *options: str) -> Mounted:
    return Mounted("8:1", "/", str(point), type_, frozenset(options))


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    for name, mode in (("plain", 0o755), ("shell", 0o4755), ("group", 0o2755), ("data", 0o4644)):
        (tmp_path / "a/b").mkdir(parents=True, exist_ok=True)
        (tmp_path / "a/b" / name).touch()
        (tmp_path / "a/b" / name).chmod(mode)
    (tmp_path / "a/link").symlink_to("b/shell")
    (tmp_path / "a/b").chmod(0o2755)
    return tmp_path


def walked(walk: Walk, *mounts: Mounted) -> list[str]:
    walk.go_on(mounts, NEVER)
    return [Path(path).name for path in walk.paths()]


def test_files_that_run_as_another_are_found(disk: Path) -> None:
    walk = Walk(())
    assert walked(walk, mounted(disk)) == ["group", "shell"]
    assert walk.whole


@pytest.mark.parametrize(
    ("type_", "options"), [("ext4", ("nosuid",)), ("ext4", ("ro",)), ("nfs4", ()), ("proc", ())]
)
def test_where_it_could_not_work_or_last_nothing_is_walked(
    disk: Path, type_: str, options: tuple[str, ...]
) -> None:
    assert walked(Walk(()), mounted(disk, type_, *options)) == []


def test_another_mount_and_what_is_left_out_end_a_walk(disk: Path) -> None:
    inner = mounted(disk / "a/b", "ext4", "nosuid")
    assert walked(Walk(()), mounted(disk), inner) == []
    assert walked(Walk((str(disk / "a"),)), mounted(disk), mounted(disk / "a/b")) == []


def test_the_store_is_walked_by_itself_where_it_lets_such_a_file_work(
    disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = disk / "a"
    monkeypatch.setattr("reconciler.targets.linux.setuid._STORE", str(store))

    def found(*mounts: Mounted) -> list[str]:
        session = Session(HostTree(), AllowList(), lambda _topic: Answer("absent"))
        session.deadline = time.monotonic() + 5
        return [Path(path).name for path in _in_store(session, mounts)]

    root = mounted(Path("/"))
    assert walked(Walk(()), mounted(disk)) == []
    assert found(root, mounted(store, "ext4", "ro")) == ["group", "shell"]
    assert found(root) == ["group", "shell"]
    assert found(root, mounted(store, "ext4", "ro", "nosuid")) == []
    assert found(mounted(store, "ext4", "nosuid"), root, mounted(store)) == ["group", "shell"]


def test_a_walk_goes_on_where_it_stopped_and_forgets_what_is_gone(disk: Path) -> None:
    walk = Walk(())
    walk.go_on((mounted(disk),), 0.0)
    assert not walk.whole
    assert walk.todo == [str(disk)]
    assert walked(walk, mounted(disk)) == ["group", "shell"]
    (disk / "a/b/shell").chmod(0o755)
    assert [Path(path).name for path in walk.paths()] == ["group"]
    (disk / "late").touch()
    (disk / "late").chmod(0o4711)
    assert walked(walk, mounted(disk)) == ["group", "late"]


def test_a_directory_that_may_not_be_listed_is_begun_again(
    disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_path: str) -> None:
        raise PermissionError(13, "permission denied")

    walk = Walk(())
    with monkeypatch.context() as patched:
        patched.setattr(os, "scandir", refuse)
        with pytest.raises(PermissionError):
            walk.go_on((mounted(disk),), NEVER)
    assert not walk.whole
    assert walked(walk, mounted(disk)) == ["group", "shell"]


@pytest.mark.skipif(os.geteuid() != 0, reason="capabilities of files are given by root")
def test_capabilities_of_files_have_their_names(disk: Path) -> None:
    file = disk / "a/b/plain"
    assert file_capabilities(str(file)) == ()
    os.setxattr(file, "security.capability", NET_RAW)
    assert file_capabilities(str(file)) == ("cap_net_raw",)
    assert walked(Walk(()), mounted(disk)) == ["group", "plain", "shell"]
    (said,) = [one for one in _wrappers(str(disk / "a/b")) if one["name"] == "plain"]
    assert said["capabilities"] == ["cap_net_raw"]


def test_a_wrapper_that_was_put_in_the_place_of_another_is_late(tmp_path: Path) -> None:
    fresh, link = tmp_path / "wrappers.x", tmp_path / "bin"
    fresh.mkdir()
    for name in ("mount", "sudo"):
        (fresh / name).touch()
    link.symlink_to(fresh)

    def late() -> dict[str, bool]:
        return {one["name"]: one["late"] for one in _wrappers(str(link))}

    assert late() == {"mount": False, "sudo": False}
    time.sleep(1.1)
    (tmp_path / "shell").touch()
    os.utime(tmp_path / "shell", (1, 1))
    (tmp_path / "shell").replace(fresh / "sudo")
    assert late() == {"mount": False, "sudo": True}
    # Where the directory is no link, nothing says when it was taken into use.
    assert not any(one["late"] for one in _wrappers(str(fresh)))


@pytest.mark.parametrize(
    ("link", "in_use"),
    [("run/wrappers/wrappers.b", {"run/wrappers/wrappers.b/sudo"}), ("var/tmp", set())],
)
def test_only_the_wrappers_in_use_are_told_as_such(
    tmp_path: Path, link: str, in_use: set[str]
) -> None:
    for name in ("wrappers/wrappers.a/sudo", "wrappers/wrappers.b/sudo", "wrappers/shell"):
        (tmp_path / "run" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "run" / name).touch()
    (tmp_path / "var/tmp").mkdir(parents=True)
    (tmp_path / "var/tmp/sudo").touch()
    (tmp_path / "run/wrappers/bin").symlink_to(tmp_path / link)
    wrappers = str(tmp_path / "run/wrappers/bin")
    files = sorted(str(path) for path in tmp_path.rglob("*") if path.is_file())
    told = set(_not_below(_in_use(wrappers), files))
    assert {str(Path(path).relative_to(tmp_path)) for path in set(files) - told} == in_use
    assert len(files) == 4


def test_a_machine_without_wrappers_has_none(tmp_path: Path) -> None:
    assert _wrappers(str(tmp_path / "nope")) == []
    assert SetuidFiles().wrappers == "/run/wrappers/bin"
