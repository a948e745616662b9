import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.model.operation import Run
from reconciler.model.probe import Command
from reconciler.programs.bounded import Bounds, Ended
from reconciler.targets.linux.allow import AllowList
from reconciler.targets.linux.no_answer import NoAnswer
from reconciler.targets.linux.probes import answer
from reconciler.targets.linux.process import find_program, run_program
from reconciler.targets.linux.running import failure, run
from tests.support.asking import ask, session

SHELL = "/bin/sh"


def shell(script: str, *, seconds: float = 5, output: int = 100_000) -> Ended:
    return run_program(SHELL, ("-c", script), (), Bounds(time.monotonic() + seconds, output))


def dies(pid: int) -> bool:
    """Whether a process that was killed is gone, at once or very soon."""
    for _ in range(200):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state in "ZX":
            return True
        time.sleep(0.01)
    return False


class TestRunProgram:
    def test_status_and_both_streams(self) -> None:
        assert shell("echo out; echo err >&2; exit 3") == Ended(3, b"out\n", b"err\n")

    def test_nothing_comes_in(self) -> None:
        assert shell("cat; env | sort").stdout.decode().splitlines() == ["LANG=C", "PWD=/"]

    def test_a_signal_is_a_negative_status(self) -> None:
        assert shell("kill -TERM $$").exit == -signal.SIGTERM

    def test_output_is_limited_while_it_runs(self) -> None:
        started = time.monotonic()
        with pytest.raises(NoAnswer) as refused:
            shell("while :; do echo x; done", output=1000, seconds=30)
        assert refused.value.status == "error"
        assert refused.value.reason == "killed: wrote more than 1000 bytes"
        assert time.monotonic() - started < 10

    def test_both_streams_count(self) -> None:
        with pytest.raises(NoAnswer, match="wrote more than 9 bytes"):
            shell("echo 1234; echo 5678 >&2", output=9)

    def test_time_is_limited_and_the_whole_group_is_killed(self, tmp_path: Path) -> None:
        pids = tmp_path / "pids"
        with pytest.raises(NoAnswer) as refused:
            shell(f"sleep 60 & echo $! > {pids}; echo $$ >> {pids}; wait", seconds=0.3)
        assert (refused.value.status, refused.value.reason) == (
            "timeout",
            "killed: did not end in time",
        )
        assert [dies(int(pid)) for pid in pids.read_text().split()] == [True, True]

    def test_a_child_that_keeps_the_streams_open_is_not_waited_for(self, tmp_path: Path) -> None:
        started = time.monotonic()
        ran = shell(f"sleep 60 & echo $! > {tmp_path}/pid; echo said")
        assert ran.stdout == b"said\n"
        assert time.monotonic() - started < 4
        assert dies(int((tmp_path / "pid").read_text()))

    def test_a_program_that_ignores_its_terminal_still_ends(self) -> None:
        with pytest.raises(NoAnswer):
            shell("trap '' TERM INT HUP; while :; do sleep 1; done", seconds=0.2)

    def test_output_can_go_elsewhere(self) -> None:
        pieces: list[bytes] = []
        limits = Bounds(time.monotonic() + 5, 1 << 30)
        ran = run_program(SHELL, ("-c", "head -c 300000 /dev/zero"), (), limits, pieces.append)
        assert (ran.stdout, sum(map(len, pieces))) == (b"", 300_000)

    @pytest.mark.parametrize("name", ["LD_PRELOAD", "lower", "A B", "", "PATH=x"])
    def test_dangerous_variables_are_refused(self, name: str) -> None:
        with pytest.raises(NoAnswer, match="not allowed"):
            run_program(SHELL, (), ((name, "x"),), Bounds(time.monotonic() + 5, 1))

    def test_arguments_with_a_nul_are_refused(self) -> None:
        with pytest.raises(NoAnswer, match="NUL"):
            run_program(SHELL, ("a\0b",), (), Bounds(time.monotonic() + 5, 1))

    def test_no_descriptor_is_left_open(self) -> None:
        shell("true")
        before = len(list(Path("/proc/self/fd").iterdir()))
        shell("true")
        assert len(list(Path("/proc/self/fd").iterdir())) == before


@pytest.fixture
def install(tmp_path: Path) -> Callable[[str, str], AllowList]:
    """Put a script into a directory and allow it."""

    def put(name: str, script: str) -> AllowList:
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
        names = frozenset({name, "absent"})
        return AllowList(look=names, act=names, directories=("/nowhere", str(tmp_path)))

    return put


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="programs must belong to root")


class TestFindProgram:
    def test_only_what_is_allowed(self) -> None:
        for name in ("rm", "/bin/sh", "../sh", ""):
            with pytest.raises(NoAnswer, match="not in the list") as refused:
                find_program(name, frozenset({"sh"}), ("/bin",))
            assert refused.value.status == "unsupported"

    def test_absent(self) -> None:
        with pytest.raises(NoAnswer, match="nope is not installed") as refused:
            find_program("nope", frozenset({"nope"}), ("/bin", "/nowhere"))
        assert refused.value.status == "absent"

    @needs_root
    @pytest.mark.parametrize(("mode", "uid"), [(0o757, 0), (0o775, 0), (0o755, 1000)])
    def test_a_program_that_others_can_change_is_not_started(
        self, install: Callable[[str, str], AllowList], tmp_path: Path, mode: int, uid: int
    ) -> None:
        allow = install("tool", "true")
        (tmp_path / "tool").chmod(mode)
        os.chown(tmp_path / "tool", uid, 0)
        with pytest.raises(NoAnswer, match="can be changed by others"):
            find_program("tool", allow.look, allow.directories)


@needs_root
class TestCommand:
    def test_an_answer(self, install: Callable[[str, str], AllowList]) -> None:
        allow = install("tool", 'echo "$1 $RESTIC_PASSWORD_FILE"; exit 1')
        probe = Command(("tool", "$HOME;x"), environment=(("RESTIC_PASSWORD_FILE", "/pw"),))
        answered = ask(probe, allow=allow)
        assert answered.data == {"exit": 1, "stdout": "$HOME;x /pw\n", "stderr": ""}
        assert answered.status == "ok"

    def test_the_same_command_runs_once_a_round(
        self, install: Callable[[str, str], AllowList], tmp_path: Path
    ) -> None:
        allow = install("tool", f"echo x >> {tmp_path}/count; exit 0")
        asked = session(allow=allow)
        for timeout in (5, 6):
            answer(Command(("tool",), timeout_s=timeout), asked)
        assert (tmp_path / "count").read_text() == "x\n"
        asked.end_round()
        answer(Command(("tool",)), asked)
        assert (tmp_path / "count").read_text() == "x\nx\n"

    def test_its_own_time_limit(self, install: Callable[[str, str], AllowList]) -> None:
        answered = ask(Command(("tool",), timeout_s=0), allow=install("tool", "sleep 9"))
        assert answered.status == "timeout"

    def test_reasons(self, install: Callable[[str, str], AllowList]) -> None:
        allow = install("tool", "yes")
        assert ask(Command(("absent",)), allow=allow).status == "absent"
        assert ask(Command(("rm", "-rf")), allow=allow).status == "unsupported"
        assert ask(Command(()), allow=allow).reason == "no program is named"
        assert ask(Command(("tool",), limit=10), allow=allow).reason.startswith("killed: wrote")


@needs_root
class TestRun:
    def test_a_failure_says_what_the_program_said(
        self, install: Callable[[str, str], AllowList]
    ) -> None:
        allow = install("tool", "echo no such rule >&2; exit 2")
        with pytest.raises(NoAnswer, match=r"^tool exited with 2: no such rule$"):
            run(Run(("tool",)), session(allow=allow))

    def test_success(self, install: Callable[[str, str], AllowList], tmp_path: Path) -> None:
        run(Run(("tool", "a b")), session(allow=install("tool", f'echo "$1" > {tmp_path}/said')))
        assert (tmp_path / "said").read_text() == "a b\n"

    def test_looking_and_acting_have_their_own_lists(
        self, install: Callable[[str, str], AllowList]
    ) -> None:
        allow = install("tool", "true")
        only_looks = AllowList(look=allow.look, act=frozenset(), directories=allow.directories)
        with pytest.raises(NoAnswer, match="not in the list"):
            run(Run(("tool",)), session(allow=only_looks))


def test_complaints_are_one_short_line() -> None:
    assert failure("tool", 1, b"") == "tool exited with 1"
    assert failure("tool", -9, b"a\n  b\xff\n") == "tool was killed by signal 9: a b\ufffd"
    assert len(failure("tool", 1, b"x" * 9999)) < 250
