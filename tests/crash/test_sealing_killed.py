"""``kill -9`` at every point of sealing: no acknowledged run is lost, and none is sealed twice."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.crash, pytest.mark.timeout(600)]

ROOT = Path(__file__).resolve().parents[2]
POINTS = {
    "run-waits",
    "after-run-entry",
    "before-seal",
    "after-seal",
    "after-forget",
    "call:flush",
    "call:clear",
    "call:half-a-line",
}


@pytest.fixture(scope="module")
def wrecks(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What a kill at each point left, and what it was after going on."""
    base = tmp_path_factory.mktemp("sealing")
    command = [sys.executable, "-m", "tests.support.sealing_crash", str(base)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_every_kind_of_point_was_killed(wrecks: list[dict[str, Any]]) -> None:
    assert {wreck["point"] for wreck in wrecks} == POINTS
    assert all(os.WTERMSIG(wreck["status"]) == signal.SIGKILL for wreck in wrecks)


def test_the_ledger_is_sound_after_each(wrecks: list[dict[str, Any]]) -> None:
    for wreck in wrecks:
        assert wreck["before"]["faults"] == [], wreck
        assert (wreck["went_on"], wreck["after"]["faults"]) == (0, []), wreck


def test_no_acknowledged_run_is_lost_and_none_is_there_twice(wrecks: list[dict[str, Any]]) -> None:
    for wreck in wrecks:
        held = wreck["after"]["moments"]
        assert set(wreck["told"]) < set(held), wreck
        assert set(wreck["told_after"]) <= set(held), wreck
        assert len(held) == len(set(held)) == wreck["after"]["runs"], wreck
        assert not wreck["waiting"]


def test_a_run_that_was_not_acknowledged_is_there_at_most_once(
    wrecks: list[dict[str, Any]],
) -> None:
    """A kill after the line was on the disk, and before anybody heard of it."""
    extra = [len(set(w["after"]["moments"]) - set(w["told_after"])) for w in wrecks]

    assert set(extra) == {0, 1}
