"""Run things in turn, and what each cost: CPU of the process and of what it started, and time."""

import os
import resource
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence

from tests.support.commands import MINIMAL_ENV

Sample = Mapping[str, float]
Row = Callable[[], Sample]


def in_turn(
    rows: Mapping[str, Row], rounds: int, warmups: int = 1
) -> dict[str, dict[str, list[float]]]:
    """Run every row once a round.

    Args:
        rows: What to run; each returns its sample.
        rounds: How many rounds count.
        warmups: How many are run before and dropped.

    Returns:
        For each row, its samples by metric.
    """
    taken: dict[str, dict[str, list[float]]] = {name: {} for name in rows}
    for turn in range(warmups + rounds):
        for name, row in rows.items():
            sample = row()
            if turn >= warmups:
                for metric, value in sample.items():
                    taken[name].setdefault(metric, []).append(value)
    return taken


def cost_of(work: Callable[[], object], times: int = 1) -> Sample:
    """CPU and wall time of calling `work`, milliseconds a call; what it starts is counted too."""
    cpu, wall = cpu_s(), time.monotonic()
    for _ in range(times):
        work()
    return {
        "cpu_ms": (cpu_s() - cpu) * 1000 / times,
        "wall_ms": (time.monotonic() - wall) * 1000 / times,
    }


def cpu_s() -> float:
    """User and system time so far, of this process and of children that have ended."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def program(argv: Sequence[str]) -> Row:
    """A row that runs a program; only the program's own CPU is counted, not ours."""

    def run() -> Sample:
        wall = time.monotonic()
        quiet = subprocess.DEVNULL
        child = subprocess.Popen(argv, env=dict(MINIMAL_ENV), stdin=quiet, stdout=quiet)
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            raise RuntimeError(f"{' '.join(argv)}: exit {child.returncode}")
        return {
            "cpu_ms": (used.ru_utime + used.ru_stime) * 1000,
            "wall_ms": (time.monotonic() - wall) * 1000,
        }

    return run
