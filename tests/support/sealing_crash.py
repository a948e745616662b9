"""Kills a daemon's run at every point of sealing; run as a process of its own, because it forks.

``python -m tests.support.sealing_crash DIRECTORY`` prints one JSON line for each kill: at a hook of
the engine, or before a system call of an append to the file of runs that wait.
"""

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from reconciler import reconcile
from reconciler.engine import pending
from reconciler.engine.session import Options
from tests.support.crash_driver import in_child
from tests.support.drill import break_sysctl
from tests.support.file_drill import FileDrill, load, make_template

TICKS = 6
"""Unchanged runs, the news, and some more; so that runs are sealed by age and by news."""
SEAL_S = 90
HOOKS = ("run-waits", "after-run-entry", "before-seal", "after-seal", "after-forget")


class Told:
    """What was acknowledged, in a file that survives the kill."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def run(self, at: datetime) -> None:
        with self.file.open("a") as out:
            out.write(f"{at.isoformat(timespec='milliseconds')}\n")


def serve(directory: Path, point: Callable[[str], None], *, ticks: int = TICKS) -> None:
    """Some ticks of a daemon; what it acknowledges is told before it goes on."""
    drill, told = load(directory), Told(directory / "told")
    options = Options(promise_s=60, seal_s=SEAL_S, hook=point)
    with drill.open() as appliance:
        for number in range(ticks):
            drill.clock.pass_time(60.0)
            (directory / "clock").write_text(drill.clock.at.isoformat())
            if number == ticks - 2:
                break_sysctl(drill.machine)
            if reconcile(appliance, options).recorded:
                told.run(drill.clock.at)


def dies_at(number: int, points: list[str]) -> Callable[[str], None]:
    """A hook, and system calls of the file, that kill at the n-th of them; 0 only counts."""
    count = 0

    def point(where: str) -> None:
        nonlocal count
        if where not in HOOKS and not where.startswith("call:"):
            return
        count += 1
        points.append(where)
        if count == number:
            os.kill(os.getpid(), signal.SIGKILL)

    def wrapped(module: Any, name: str) -> None:
        original = getattr(module, name)

        def step(*arguments: Any, **options: Any) -> Any:
            point(f"call:{name}")
            return original(*arguments, **options)

        setattr(module, name, step)

    wrapped(pending, "flush")
    wrapped(pending.PendingFile, "clear")
    write = pending.PendingFile._write

    def torn(self: pending.PendingFile, data: bytes, *, new: bool) -> None:
        # The disk got half of the line when the power went.
        half = data[: len(data) // 2]
        before = self._size
        write(self, half, new=new)
        self._size = before
        point("call:half-a-line")
        write(self, data, new=new)

    pending.PendingFile._write = torn  # type: ignore[method-assign]
    return point


def state(drill: FileDrill) -> dict[str, Any]:
    found = drill.verify()
    return {
        "faults": [str(fault) for fault in found.faults],
        "runs": found.branches[0].runs,
        "moments": moments(drill),
    }


def moments(drill: FileDrill) -> list[str]:
    """When each run was that the ledger holds, as an auditor reads it."""
    from reconciler.evidence.history import Step
    from reconciler.evidence.stretch import gather

    steps = [Step(r.commit, r, ()) for r in reversed(drill.records()) if r.entry.kind == "run"]
    times = sorted(gather(steps).times)
    return [
        datetime.fromtimestamp(ms / 1000, tz=drill.clock.at.tzinfo).isoformat(
            timespec="milliseconds"
        )
        for ms in times
    ]


def main(base: Path) -> None:
    template = base / "template"
    make_template(template)
    shutil.copytree(template, base / "undisturbed")
    assert in_child(lambda: _counted(base / "undisturbed")) == 0
    points = json.loads((base / "undisturbed/points").read_text())
    for number, name in enumerate(points, start=1):
        directory = base / str(number)
        shutil.copytree(template, directory)
        status = in_child(lambda d=directory, n=number: serve(d, dies_at(n, [])))  # type: ignore[misc]
        told, waiting = directory / "told", directory / "var/state/pending-runs"
        line = {
            "point": name,
            "status": status,
            "told": told.read_text().split() if told.exists() else [],
            "before": state(load(directory)),
            "went_on": in_child(lambda d=directory: _gone_on(d)),  # type: ignore[misc]
            "after": state(load(directory)),
            "told_after": told.read_text().split(),
            "waiting": waiting.read_text() if waiting.exists() else "",
        }
        print(json.dumps(line))
        shutil.rmtree(directory)


def _counted(directory: Path) -> None:
    points: list[str] = []
    serve(directory, dies_at(0, points))
    (directory / "points").write_text(json.dumps(points))
    os._exit(0)


def _gone_on(directory: Path) -> None:
    """The next start: news, so that nothing waits any more."""
    serve(directory, lambda _where: None, ticks=2)
    os._exit(0)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
