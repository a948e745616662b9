"""Runs seeds, two at a time, each in a process of its own over a copy of the guards.

What every one of them needs is imported once; the guards are not, so each process imports the copy
that it is about. Prints one line of JSON per seed: its name, the exit code of its tests, seconds.
"""

import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterable
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from hypothesis import Phase, settings

import reconciler
import reconciler.steps.catalogue
import tests.support.desired_states  # noqa: F401 - imported once, for all
from tests.mutants.seeds import SEEDS, Seed, control

GUARDS = Path(reconciler.__file__).parent / "guard"
AT_ONCE = 2
LONGEST_S = 60
EXAMPLES = 20
OPTIONS = (
    *("-x", "-q", "-n", "0", "-o", "timeout=0", "-p", "no:cacheprovider"),
    *("--hypothesis-profile=mutants", "-W", "ignore::pytest.PytestAssertRewriteWarning"),
)
"""What was imported before pytest began is as it would be, and only less well explained."""
BROKEN = 70
"""Exit code of a process whose tests could not be run at all: nothing was killed there."""


def main() -> None:
    """Run the control and every seed."""
    loaded = [name for name in sys.modules if name.startswith("reconciler.guard")]
    if loaded:
        raise SystemExit(f"imported before they were changed: {loaded}")
    settings.register_profile(
        "mutants",
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
    )
    for plugin in entry_points(group="pytest11"):
        plugin.load()
    with tempfile.TemporaryDirectory() as place:
        run_all([control(), *SEEDS], Path(place))


def run_all(seeds: Iterable[Seed], place: Path) -> None:
    running: dict[int, tuple[Seed, float]] = {}
    for number, seed in enumerate(seeds):
        if len(running) == AT_ONCE:
            _reap(running)
        copy = changed(seed, place / str(number))
        child = os.fork()
        if child == 0:
            code = BROKEN
            try:
                code = _judge(seed, copy)
            finally:
                os._exit(code)
        running[child] = (seed, time.monotonic())
    while running:
        _reap(running)


def changed(seed: Seed, place: Path) -> Path:
    """A folder with a copy of the guards in which the seed is sown."""
    copy = shutil.copytree(GUARDS, place / "guard", ignore=shutil.ignore_patterns("__pycache__"))
    file = copy / seed.file
    text = file.read_text()
    if text.count(seed.old) != 1:
        raise SystemExit(
            f"{seed.name}: {seed.file} holds {seed.old!r} {text.count(seed.old)} times"
        )
    file.write_text(text.replace(seed.old, seed.new))
    return place


def _judge(seed: Seed, copy: Path) -> int:
    """In the child: the exit code of pytest over the changed guards."""
    signal.alarm(LONGEST_S)
    reconciler.__path__.insert(0, str(copy))
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    return int(pytest.main([*OPTIONS, *seed.tests]))


def _reap(running: dict[int, tuple[Seed, float]]) -> None:
    child, status = os.wait()
    seed, began = running.pop(child)
    code = os.waitstatus_to_exitcode(status)
    took = round(time.monotonic() - began, 1)
    sys.stdout.write(
        json.dumps({"seed": f"{seed.file}: {seed.name}", "code": code, "s": took}) + "\n"
    )
    sys.stdout.flush()


if __name__ == "__main__":
    main()
