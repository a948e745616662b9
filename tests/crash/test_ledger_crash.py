"""kill -9 at any instant of an append leaves a ledger that verifies, opens and goes on."""

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from itertools import dropwhile
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest

from tests.support import syscalls
from tests.support.ledger_rig import filled
from tests.support.rigs import rig as needs
from tests.support.syscalls import Call

pytestmark = [pytest.mark.crash, pytest.mark.integration]

BASE = 4
"""Entries before the append that is killed."""


CHANGES = {"rename", "unlink", "mkdir", "fsync", "pwrite64", "ftruncate", "link"}


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Path]:
    """A directory in memory if there is one: hundreds of repositories are made and removed."""
    shared = Path("/dev/shm")
    made = Path(mkdtemp(dir=shared)) if shared.is_dir() else tmp_path
    yield made
    shutil.rmtree(made)


def after_first_mark(calls: list[Call]) -> Iterator[Call]:
    return dropwhile(lambda call: call.name != "write" or call.data() != b"step\n", calls)


def kills(directory: Path, how: str) -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.crash_driver", str(directory), how],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        check=False,
        timeout=110,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def check_sound(result: dict[str, Any]) -> None:
    """Nothing is wrong after a kill, nothing is missing, and the next run went on."""
    assert result["faults"] == [], result
    # What was receipted is there.
    assert all(seq < result["entries"] for seq in result["told"]), result
    assert result["went_on"] == 0, result
    assert result["faults_after"] == [], result
    assert result["open_after"] == 0, result


@pytest.mark.parametrize(
    ("how", "base", "steps"),
    [("create", 0, 50), ("append", BASE, 40), ("slim", BASE, 15), ("checkpoint", BASE, 15)],
)
def test_at_every_step(memory: Path, how: str, base: int, steps: int) -> None:
    *killed, last = results = kills(memory, how)
    assert len(killed) > steps
    assert {result["status"] for result in killed} == {signal.SIGKILL}
    assert (last["status"], last["told"], last["entries"]) == (0, [base], base + 1)
    for result in results:
        check_sound(result)
        assert result["entries"] in {base, base + 1}, result
        # A run and a checkpoint, after the first entry if there was none.
        assert result["entries_after"] == max(result["entries"], 1) + 2, result
    assert {result["entries"] for result in killed} == {base, base + 1}
    # Where there is no branch yet, nothing is looked at.
    for remains in ("unreferenced", "leftovers"):
        assert any(result[remains] for result in killed) or how == "create"


def test_there_is_a_step_before_every_change_of_the_disk(tmp_path: Path) -> None:
    """So killing before each step leaves no state untried but a file without its bytes."""
    needs("strace", syscalls.missing())
    filled(tmp_path, runs=1)
    arguments = [str(tmp_path), "marked"]
    calls = syscalls.record("tests.support.crash_driver", arguments, tmp_path / "strace")
    marked: set[int] = set()
    changes = 0
    for call in after_first_mark(calls):
        if call.name == "write":
            marked |= {call.thread} if call.data() == b"step\n" else set()
        elif call.name in CHANGES or "O_CREAT" in "".join(call.arguments):
            assert call.thread in marked, call
            marked.remove(call.thread)
            changes += 1
    assert changes > 60


def test_at_any_moment(tmp_path: Path) -> None:
    entries = BASE
    for result in kills(tmp_path, "moments"):
        assert result["status"] == signal.SIGKILL
        check_sound(result)
        assert result["entries"] >= entries
        entries = result["entries_after"]
    assert entries > BASE + 12


def test_a_ledger_that_grows_meanwhile_verifies(tmp_path: Path) -> None:
    results = kills(tmp_path, "growing")
    assert len(results) == 6
    for result in results:
        assert result["faults"] == [], result
    assert results[-1]["entries"] > results[0]["entries"]
