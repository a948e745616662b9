"""Every fault that is seeded into the guards is noticed by the tests of that guard alone."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.mutants.driver import changed
from tests.mutants.seeds import SEEDS, SHAM, Seed, unit

ROOT = Path(__file__).resolve().parents[2]
FAILED, PASSED = 1, 0


@pytest.mark.timeout(300)
def test_every_seeded_mutant_is_killed() -> None:
    clean = {name: value for name, value in os.environ.items() if name != "CI"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.mutants.driver"],
        cwd=ROOT,
        env=clean | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    ended = {line["seed"]: line["code"] for line in map(json.loads, done.stdout.splitlines())}

    assert ended.pop(f"gate.py: {SHAM}") == PASSED, "the tests fail without any mutant"
    assert len(ended) == len(SEEDS) >= 24
    assert {seed: code for seed, code in ended.items() if code != FAILED} == {}


def test_a_seed_that_no_longer_fits_is_no_proof(tmp_path: Path) -> None:
    gone = Seed("gone", "gate.py", "what is not there", "", unit("gate"))
    with pytest.raises(SystemExit, match=r"gone: gate\.py holds .* 0 times"):
        changed(gone, tmp_path)
