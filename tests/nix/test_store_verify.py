"""``reconciler store verify`` on a real store that somebody, or the disk, has changed."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli import execute
from reconciler.engine.clock import SystemClock
from reconciler.engine.store_verify import verify_store
from reconciler.errors import ExitCode, MachineError
from reconciler.nix import verify
from reconciler.nix.process import NixStore as Asked
from tests.nix.test_store_database import asked, build
from tests.support.nix_runtime import NixStore


class Machine:
    """A machine whose running system is in a store of its own."""

    def __init__(self, store: NixStore, tmp_path: Path) -> None:
        self.store = store
        self.system = build(store, "1")
        (store.root / "run").mkdir()
        (store.root / "run/current-system").symlink_to(self.system)
        self.record = tmp_path / "store-verify.json"

    def paths(self) -> list[str]:
        return sorted(self.store.run("nix-store", "-qR", self.system).split())

    def verify(self, *more: str) -> int:
        programs = self.store.runtime / "usr/bin"
        where = ("--root", str(self.store.root), "--nix", str(programs))
        return execute(["store", "verify", "--record", str(self.record), *where, *more])

    def said(self) -> Any:
        return json.loads(self.record.read_text())

    def tamper(self, path: str) -> None:
        real = self.store.real(path)
        real.chmod(0o644)
        real.write_text("something else\n")
        real.chmod(0o444)

    def look(self, state: Asked | None = None, seconds: int = 600) -> Any:
        state = state or asked(self.store)
        return verify_store(self.record, SystemClock(), state, seconds=seconds)


@pytest.fixture
def machine(nix_store: NixStore, tmp_path: Path) -> Machine:
    return Machine(nix_store, tmp_path)


def test_a_store_as_nix_left_it(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    assert machine.verify() == ExitCode.CLEAN
    said = machine.said()
    assert (said["format"], said["system"]) == ("reconciler-store/1", machine.system)
    assert (said["paths"], said["closure_verified"]) == (len(machine.paths()), True)
    assert (said["corrupt"], said["missing"], said["untrusted"]) == ([], [], 0)
    assert said["started"] <= said["finished"]
    assert machine.record.stat().st_mode & 0o777 == 0o644
    assert list(machine.record.parent.glob("*.partial")) == []
    assert "paths verified" in capsys.readouterr().out


def test_what_was_tampered_with_and_what_is_gone_are_told_apart(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = machine.paths()
    bad, gone = paths[2], paths[5]
    machine.tamper(bad)
    machine.store.real(gone).unlink()
    assert machine.verify("--json") == ExitCode.DRIFT
    said = machine.said()
    assert json.loads(capsys.readouterr().out) == said
    assert (said["corrupt"], said["corrupt_count"]) == ([bad], 1)
    assert (said["missing"], said["missing_count"]) == ([gone], 1)
    assert said["paths"] == len(paths)


def test_what_was_repaired_verifies_again(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = machine.paths()[2]
    kept = machine.store.real(bad).read_text()
    machine.tamper(bad)
    assert machine.verify() == ExitCode.DRIFT
    assert "looked at, not all of them sound" in capsys.readouterr().out
    real = machine.store.real(bad)
    real.chmod(0o644)
    real.write_text(kept)
    real.chmod(0o444)
    assert machine.verify() == ExitCode.CLEAN


def test_a_link_or_a_mode_that_was_changed_is_corrupt(machine: Machine) -> None:
    one, two = machine.paths()[:2]
    machine.store.real(one).chmod(0o555)
    machine.store.real(two).unlink()
    machine.store.real(two).symlink_to("/etc/passwd")
    assert machine.verify() == ExitCode.DRIFT
    assert machine.said()["corrupt"] == [one, two]


def test_a_look_that_was_cut_off_goes_on(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify, "MOST_PATHS", 4)
    paths = machine.paths()
    machine.tamper(paths[0])
    looks = [0]
    whole = verify.look_at

    def killed(infos: Any, state: Asked) -> Any:
        looks[0] += 1
        if looks[0] == 3:
            raise KeyboardInterrupt
        return whole(infos, state)

    with monkeypatch.context() as patched:
        patched.setattr("reconciler.engine.store_verify.look_at", killed)
        with pytest.raises(KeyboardInterrupt):
            machine.look()
    assert not machine.record.exists()
    partial = machine.record.with_name("store-verify.json.partial")
    before = json.loads(partial.read_text())
    assert (before["paths"], before["corrupt"]) == (8, [paths[0]])

    look = machine.look()
    assert (look.paths, look.corrupt) == (len(paths), {paths[0]})
    assert machine.said()["started"] == before["started"]
    assert not partial.exists()


def test_time_that_is_over_leaves_the_rest_for_later(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(verify, "MOST_PATHS", 4)
    clock = SystemClock()
    times = iter([0.0, 0.0, 10.0])
    monkeypatch.setattr(clock, "monotonic", lambda: next(times))
    look = verify_store(machine.record, clock, asked(machine.store), seconds=5)
    assert (look.finished, look.paths) == (None, 4)
    assert not machine.record.exists()
    later = iter(range(0, 9000, 600))
    monkeypatch.setattr(SystemClock, "monotonic", lambda _self: next(later))
    assert machine.verify("--seconds", "100") == ExitCode.UNKNOWN
    assert "call again to go on" in capsys.readouterr().out


@pytest.mark.parametrize("partial", ["", "{", "[]", '{"format":"reconciler-store-partial/1"}', "7"])
def test_a_torn_note_of_a_look_begins_anew(machine: Machine, partial: str) -> None:
    machine.record.with_name("store-verify.json.partial").write_text(partial)
    assert machine.verify() == ExitCode.CLEAN
    assert machine.said()["paths"] == len(machine.paths())


def test_a_note_of_another_system_begins_anew(machine: Machine) -> None:
    partial = machine.record.with_name("store-verify.json.partial")
    note = {
        "format": "reconciler-store-partial/1",
        "system": machine.paths()[0],
        "started": "2026-01-01T00:00:00Z",
        "paths": 9999,
        "after": machine.paths()[-1],
        "corrupt": [],
        "missing": [],
        "untrusted": [],
    }
    partial.write_text(json.dumps(note))
    assert machine.verify() == ExitCode.CLEAN
    assert machine.said()["paths"] == len(machine.paths())


def test_a_nix_that_fails_says_nothing_about_paths(machine: Machine, tmp_path: Path) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    real = machine.store.runtime / "usr/bin/nix"
    fails = 'case "$2" in verify) echo "error: disk is full" >&2; exit 1;; esac'
    (folder / "nix").write_text(f'#!/bin/sh\n{fails}\nexec {real} "$@"\n')
    (folder / "nix").chmod(0o755)
    state = Asked(directories=(str(folder),), remote=str(machine.store.root))
    with pytest.raises(MachineError, match="nix ended with 1: error: disk is full"):
        machine.look(state)
    assert not machine.record.exists()


def test_paths_that_nobody_vouches_for_are_counted(machine: Machine, tmp_path: Path) -> None:
    cache = f"file://{tmp_path}/cache"
    machine.store.run("nix", "copy", "--to", cache, machine.system)
    other = NixStore(machine.store.runtime, tmp_path / "other")
    other.run("nix", "copy", "--no-check-sigs", "--from", cache, machine.system)
    (other.root / "run").mkdir()
    (other.root / "run/current-system").symlink_to(machine.system)
    look = verify_store(machine.record, SystemClock(), asked(other), seconds=600)
    assert look.sound
    assert machine.said()["untrusted"] == len(machine.paths())


def test_a_machine_without_nix_and_one_without_a_place(
    machine: Machine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.record = tmp_path / "no/such/place.json"
    assert machine.verify() == ExitCode.MACHINE
    assert "cannot write" in capsys.readouterr().err
    shutil.rmtree(machine.store.root / "run")
    assert machine.verify() == ExitCode.MACHINE
    assert "no NixOS system runs here" in capsys.readouterr().err
