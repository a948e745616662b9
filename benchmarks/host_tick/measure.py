"""Check that every row sees the same drifts, then measure, then compare."""

import json
from collections.abc import Mapping
from typing import Any

from benchmarks.host_tick import notes
from benchmarks.host_tick.answers import ours
from benchmarks.host_tick.peers import COLD, COLD_BASE, RESIDENT, RESIDENT_BASE, Cold, Resident
from benchmarks.host_tick.rig import SEEDED, bench_guest, seed
from benchmarks.table import Table
from tests.support.guest import Guest

Rows = Mapping[str, Cold] | Mapping[str, Resident]

UNSTEADY = frozenset({"cpu-pressure", "memory-pressure"})
"""Rules whose answer changes with the load of the machine, also between two looks."""

METRICS = {
    "total_ms": "CPU ms, with daemons",
    "cpu_ms": "own CPU ms",
    "daemons_ms": "daemons' CPU ms",
    "wall_ms": "wall ms",
    "peak_mib": "peak MiB",
}
_TIMEOUT_S = 1800


class Disagreement(AssertionError):
    """A row saw other drifts than we did: its numbers would compare nothing."""


def measure(rounds: int) -> list[Table]:
    """Two tables: programs from exec to exit, and services that are asked.

    Raises:
        Disagreement: A row did not report exactly the drifts that ours reports.
        RuntimeError: This machine cannot boot a guest.
    """
    with bench_guest() as guest:
        healthy = _drifts(guest)
        seed(guest)
        expected = _drifts(guest)
        if expected - healthy != SEEDED:
            raise Disagreement(f"seeded {sorted(SEEDED)}, we see {sorted(expected - healthy)}")
        cold = _race(guest, COLD, rounds, expected)
        resident = _race(guest, RESIDENT, rounds, expected)
        versions = _versions(guest, {**COLD, **RESIDENT})
        seen = len(expected)
    return [
        Table(
            name="host_tick, cold",
            title=f"One look at one guest, from exec to exit, {rounds} rounds in turn. Every row "
            f"reported the same {seen} broken rules, {len(SEEDED)} of them seeded.",
            metrics=METRICS,
            rows=cold,
            base=COLD_BASE,
            versions=versions,
            notes=notes.COLD,
        ),
        Table(
            name="host_tick, resident",
            title=f"The same look by a process that is already there, {rounds} rounds of "
            f"{RESIDENT[RESIDENT_BASE].times} in turn; the same drifts.",
            metrics=METRICS,
            rows=resident,
            base=RESIDENT_BASE,
            versions=versions,
            notes=notes.RESIDENT,
        ),
    ]


def _drifts(guest: Guest) -> frozenset[str]:
    """Broken rules as our own dry run sees them."""
    row = COLD["reconciler run --dry-run"]
    return ours(guest.run(*row.argv, check=False).stdout) - UNSTEADY


def _race(guest: Guest, rows: Rows, rounds: int, expected: frozenset[str]) -> dict[str, Any]:
    """Samples of every row, after its answers were found right in every round."""
    plan = {
        "warmups": 1,
        "rounds": rounds,
        "rows": {name: row.plan() for name, row in rows.items()},
    }
    argv = ("python3", "-I", "/share/bench/guest_side/stopwatch.py")
    found = json.loads(guest.run(*argv, input=json.dumps(plan), timeout=_TIMEOUT_S).stdout)
    for name, row in rows.items():
        for said in found[name]["said"]:
            _agree(name, row.answer(said) - UNSTEADY, expected)
    return {name: _samples(found[name]) for name in rows}


def _agree(name: str, seen: frozenset[str], expected: frozenset[str]) -> None:
    if seen != expected:
        more, less = sorted(seen - expected), sorted(expected - seen)
        raise Disagreement(f"{name} reports {more} that we do not, and does not report {less}")


def _samples(found: dict[str, Any]) -> dict[str, list[float]]:
    samples = found["samples"]
    rows = {metric: [s[metric] for s in samples] for metric in ("cpu_ms", "daemons_ms", "wall_ms")}
    total = [cpu + daemons for cpu, daemons in zip(rows["cpu_ms"], rows["daemons_ms"], strict=True)]
    peak = [found["peak_kib"] / 1024] * len(samples)
    return {"total_ms": total, **rows, "peak_mib": peak}


def _versions(guest: Guest, rows: Mapping[str, Cold | Resident]) -> dict[str, str]:
    packages = {name: row.package for name, row in rows.items() if row.package}
    listed = guest.run("dpkg-query", "--show", *sorted(set(packages.values()))).stdout
    known = dict(line.split("\t") for line in listed.splitlines())
    return {name: f"({known[package]})" for name, package in packages.items()}
