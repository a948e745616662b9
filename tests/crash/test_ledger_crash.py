"""kill -9 at any instant of an append leaves a ledger that verifies, opens and goes on."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.crash, pytest.mark.integration]

BASE = 3
"""Entries before the append that is killed."""


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


def test_at_every_step(tmp_path: Path) -> None:
    results = kills(tmp_path, "steps")
    *killed, last = results
    assert len(killed) > 40
    assert {result["status"] for result in killed} == {signal.SIGKILL}
    assert (last["status"], last["told"], last["entries"]) == (0, [BASE], BASE + 1)
    for result in results:
        assert result["faults"] == [], result
        assert result["entries"] in {BASE, BASE + 1}, result
        # What was receipted is there.
        assert not result["told"] or result["entries"] == BASE + 1, result
        assert result["went_on"] == 0, result
        assert result["faults_after"] == [], result
        assert result["entries_after"] == result["entries"] + 1, result
    assert {result["entries"] for result in killed} == {BASE, BASE + 1}
    assert any(result["unreferenced"] for result in killed)
    assert any(result["leftovers"] for result in killed)


def test_at_any_moment(tmp_path: Path) -> None:
    entries = BASE
    for result in kills(tmp_path, "moments"):
        assert result["status"] == signal.SIGKILL
        assert result["faults"] == result["faults_after"] == [], result
        assert result["entries"] >= entries
        assert all(seq < result["entries"] for seq in result["told"]), result
        assert result["went_on"] == 0, result
        assert result["open_after"] == 0, result
        entries = result["entries_after"]
    assert entries > BASE + 12


def test_a_ledger_that_grows_meanwhile_verifies(tmp_path: Path) -> None:
    results = kills(tmp_path, "growing")
    assert len(results) == 6
    for result in results:
        assert result["faults"] == [], result
    assert results[-1]["entries"] > results[0]["entries"]
