"""kill -9 at any step of a change of keys: one key signs, all verifies, the change goes on."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.crash, pytest.mark.integration]


def deaths(directory: Path, how: str) -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.key_crash_driver", str(directory), how],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        check=False,
        timeout=110,
    )
    assert done.returncode == 0, done.stderr
    *dead, alive = [json.loads(line) for line in done.stdout.splitlines()]
    assert alive["status"] == 0
    assert {found["status"] for found in dead} == {signal.SIGKILL}
    return dead


@pytest.mark.parametrize("how", ["rotate", "seal", "replace"])
def test_a_change_of_keys_survives_every_death(tmp_path: Path, how: str) -> None:
    dead = deaths(tmp_path, how)
    assert len(dead) > 30
    for found in dead:
        assert found["faults"] == [], found
        # There is a key to sign with at every moment, unless it was lost in the first place.
        assert found["there"] or how == "replace", found
        assert found["signs"], found
        assert found["public"], found
        assert found["faults_after"] == [], found
        assert found["waiting"] == [], found
        assert not any(name.startswith(".") for name in found["names"]), found
        # One change came of it, also where it was announced and not finished; only who died when
        # all was done, and did not know it, gets another one by asking again.
        assert found["seq"] == 3 or found["done"], found
        assert found["keys_after"] == found["seq"] - 1, found
    assert any(found["seq"] == 3 and not found["done"] for found in dead)
