"""kill -9 at any instant of a push: the server is sound, and the next push brings the rest."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.crash, pytest.mark.integration]


def kills(directory: Path, how: str) -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.push_crash_driver", str(directory), how],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        check=False,
        timeout=110,
    )
    assert done.returncode == 0, done.stderr
    results = [json.loads(line) for line in done.stdout.splitlines()]
    for result in results:
        assert result["sound"], result
        assert result["complete"], result
        assert result["then"] in ("pushed", "up_to_date"), result
    return results


def test_at_every_step(tmp_path: Path) -> None:
    *killed, last = kills(tmp_path, "steps")
    assert len(killed) > 20
    assert {result["status"] for result in killed} == {signal.SIGKILL}
    assert last["status"] == 0
    # A try that killed its process counts: the next one waits.
    assert {result["attempts"] for result in killed} == {0, 1}
    assert len({result["tip"] for result in killed}) >= 3


def test_at_any_moment(tmp_path: Path) -> None:
    results = kills(tmp_path, "moments")
    assert len(results) == 40
    assert sum(result["status"] == signal.SIGKILL for result in results) > 20


def test_at_any_moment_over_http(tmp_path: Path) -> None:
    results = kills(tmp_path, "http")
    assert len(results) == 10
    assert sum(result["status"] == signal.SIGKILL for result in results) > 4
