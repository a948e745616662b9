"""kill -9 at any instant of a repack: nothing is lost, no byte is wrong, the next one finishes."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.crash, pytest.mark.integration]

COMMITS = 15


def kills(directory: Path, how: str) -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.repack_crash", str(directory), how],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        check=False,
        timeout=110,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def check_sound(result: dict[str, Any]) -> None:
    assert result["git"] == "", result
    for state in (result["before"], result["after"]):
        assert (state["faults"], state["read"]) == ([], COMMITS), result
    assert result["after"]["loose"] == 0, result
    # A small pack that is part of a larger one already may stay until the next merge.
    assert result["after"]["packs"] <= 2, result


def test_at_every_step(tmp_path: Path) -> None:
    results = kills(tmp_path, "steps")
    *killed, last = results
    assert len(killed) > 40
    assert {result["status"] for result in killed} == {signal.SIGKILL}
    assert last["status"] == 0
    for result in results:
        check_sound(result)
    # Each kind of state in between was met.
    assert any(result["before"]["leftovers"] for result in killed)
    assert len({result["before"]["packs"] for result in killed}) >= 3
    assert len({result["before"]["loose"] for result in killed}) > 6


def test_at_any_moment(tmp_path: Path) -> None:
    results = kills(tmp_path, "moments")
    assert len(results) == 10
    assert signal.SIGKILL in {result["status"] for result in results}
    for result in results:
        check_sound(result)
