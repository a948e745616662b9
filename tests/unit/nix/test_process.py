"""A program of Nix that misbehaves, in the place of Nix."""

import os
import time
from pathlib import Path

import pytest

from reconciler.errors import InputError, MachineError
from reconciler.nix.process import NixStore, attempt, find_program, run


def fake(folder: Path, script: str, name: str = "nix-store") -> NixStore:
    folder.mkdir(exist_ok=True)
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return NixStore(directories=(str(folder), "/usr/bin", "/bin"), cache=str(folder))


def test_the_answer_and_the_arguments(tmp_path: Path) -> None:
    store = fake(tmp_path / "bin", 'printf "%s|" "$@"; echo told >&2')
    options = (("max-jobs", "0"),)
    answer = run("nix-store", "-q", "a b", timeout_s=10, options=options, state=store)
    assert answer == b"--option|max-jobs|0|-q|a b|"
    ended = attempt("nix-store", timeout_s=10, state=store)
    assert (ended.exit, ended.stderr) == (0, b"told\n")


def test_nothing_of_the_environment_goes_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NIX_CONFIG", "NIX_PATH", "LD_PRELOAD", "NIX_REMOTE", "NIX_USER_CONF_FILES"):
        monkeypatch.setenv(name, "/evil.so")
    store = fake(tmp_path / "bin", "env; pwd; cat")
    said = run("nix-store", timeout_s=10, state=store).decode()
    assert "evil" not in said
    assert "\nNIX_USER_CONF_FILES=\n" in f"\n{said}"
    assert "accept-flake-config = false" in said
    assert said.endswith("\n/\n")


def test_the_store_and_its_settings_may_be_named(tmp_path: Path) -> None:
    named = fake(tmp_path / "bin", "echo $NIX_REMOTE $NIX_CONF_DIR $HOME")
    store = NixStore(directories=named.directories, remote="/r", conf_dir="/c")
    remote, conf, home = run("nix-store", timeout_s=10, state=store).decode().split()
    assert (remote, conf) == ("/r", "/c")
    assert store.root == "/r"
    assert NixStore(remote="daemon").root == NixStore().root == "/"
    assert not Path(home).exists()


def test_a_failure_tells_the_last_line_that_says_something(tmp_path: Path) -> None:
    script = (
        "printf 'building\\n\\033[31;1merror:\\033[0m disk is full\\n       at x\\n\\n' >&2; exit 3"
    )
    store = fake(tmp_path / "bin", script)
    with pytest.raises(MachineError, match=r"^nix-store ended with 3: error: disk is full$"):
        run("nix-store", timeout_s=10, state=store)
    assert attempt("nix-store", timeout_s=10, state=store).exit == 3


def test_what_may_name_a_person_is_not_told(tmp_path: Path) -> None:
    store = fake(tmp_path / "bin", "echo 'error: cannot open /home/maria.gonzalez/x' >&2; exit 1")
    with pytest.raises(MachineError) as caught:
        run("nix-store", timeout_s=10, state=store)
    assert "gonzalez" not in str(caught.value)


def test_a_silent_failure_and_a_signal(tmp_path: Path) -> None:
    with pytest.raises(MachineError, match=r"^nix-store ended with 1$"):
        run("nix-store", timeout_s=10, state=fake(tmp_path / "a", "exit 1"))
    with pytest.raises(MachineError, match="was killed by signal 9"):
        run("nix-store", timeout_s=10, state=fake(tmp_path / "b", "kill -9 $$"))


def test_what_takes_too_long_is_killed_with_its_children(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    store = fake(tmp_path / "bin", f"sleep 60 & echo $! > {note}; wait")
    begun = time.monotonic()
    with pytest.raises(MachineError, match="did not end in time"):
        run("nix-store", timeout_s=1, state=store)
    assert time.monotonic() - begun < 10
    assert _gone(int(note.read_text()))


def test_how_far_it_came_is_told_when_it_is_killed(tmp_path: Path) -> None:
    store = fake(tmp_path / "bin", "echo 'copying path' >&2; exec sleep 60")
    told: list[bytes] = []
    with pytest.raises(MachineError, match="did not end in time, and said last: copying path"):
        attempt("nix-store", timeout_s=1, state=store, told=told.append)
    assert told == [b"copying path\n"]


def test_a_child_that_is_left_behind_is_killed(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    store = fake(tmp_path / "bin", f"sleep 60 & echo $! > {note}; echo done")
    assert run("nix-store", timeout_s=30, state=store) == b"done\n"
    assert _gone(int(note.read_text()))


def test_what_answers_too_much_is_killed(tmp_path: Path) -> None:
    store = fake(tmp_path / "bin", "while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done")
    with pytest.raises(MachineError, match="answered more than 1000 bytes"):
        run("nix-store", timeout_s=30, limit=1000, state=store)


def test_only_the_end_of_what_it_tells_is_kept(tmp_path: Path) -> None:
    script = (
        "i=0; while [ $i -lt 3000 ]; do i=$((i+1)); echo line $i of many many many many >&2; done"
    )
    ended = attempt("nix-store", timeout_s=60, limit=10, state=fake(tmp_path / "bin", script))
    assert ended.stderr.endswith(b"line 3000 of many many many many\n")
    assert len(ended.stderr) == 64 * 1024


def test_only_programs_of_nix(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not a program of Nix"):
        run("sh", "-c", "true", timeout_s=1)
    with pytest.raises(MachineError, match="nix-store is not installed in"):
        find_program("nix-store", [str(tmp_path)])


def test_what_others_could_have_changed_is_not_started(tmp_path: Path) -> None:
    fake(tmp_path, "echo")
    (tmp_path / "nix-store").chmod(0o777)
    with pytest.raises(MachineError, match="can be changed by others"):
        find_program("nix-store", [str(tmp_path)])


@pytest.mark.skipif(os.geteuid() != 0, reason="gives a file to another user")
def test_what_belongs_to_somebody_else_is_not_started(tmp_path: Path) -> None:
    fake(tmp_path, "echo")
    os.chown(tmp_path / "nix-store", 12345, 12345)
    with pytest.raises(MachineError, match="can be changed by others"):
        find_program("nix-store", [str(tmp_path)])


@pytest.mark.parametrize("option", [("Max Jobs", "0"), ("--x", "0"), ("max-jobs", "0\nsandbox=no")])
def test_an_option_is_a_name_and_one_line(tmp_path: Path, option: tuple[str, str]) -> None:
    with pytest.raises(InputError, match="is not a setting of Nix"):
        run("nix-store", timeout_s=1, options=(option,), state=fake(tmp_path / "bin", "echo"))


@pytest.mark.parametrize("argument", ["a\0b", "x" * (1024 * 1024)])
def test_arguments_have_bounds(tmp_path: Path, argument: str) -> None:
    with pytest.raises(InputError, match="hold a NUL or are too long"):
        run("nix-store", argument, timeout_s=1, state=fake(tmp_path / "bin", "echo"))


def test_a_program_that_the_system_refuses_to_start(tmp_path: Path) -> None:
    store = fake(tmp_path / "bin", "echo")
    (tmp_path / "bin/nix-store").write_text("#!/nowhere/sh\n")
    with pytest.raises(MachineError, match="could not be run: No such file"):
        run("nix-store", timeout_s=5, state=store)


def _gone(pid: int) -> bool:
    for _ in range(200):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False
