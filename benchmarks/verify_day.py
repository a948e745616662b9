"""The audit of one new day, by an auditor who kept what an earlier audit proved."""

import shutil
from pathlib import Path

from benchmarks.audited import audit
from benchmarks.drift import Habit
from benchmarks.long_ledger import Place, copied, grow, shared
from benchmarks.rounds import Row, Sample, in_turn
from benchmarks.scratch import directory
from benchmarks.table import Table
from benchmarks.verify_year import JOBS, RUNS

INTERVALS = {60: "one run a minute", 300: "one run every five minutes"}
DAY_S = 86_400


def measure(rounds: int) -> list[Table]:
    """A day after a long history, at two intervals."""
    rows: dict[str, Row] = {}
    days: dict[int, tuple[Place, Path]] = {}
    for interval in INTERVALS:
        days[interval] = _day_after(interval)
        rows[INTERVALS[interval]] = lambda day=days[interval]: _news(*day)  # type: ignore[misc]
    place, cache = days[60]
    rows["nothing new"] = lambda: _nothing(place, cache)
    rows["the whole ledger"] = lambda: audit(place, JOBS).cost
    return [
        Table(
            name="verify_day",
            title=f"A day after {RUNS:,} runs, with the cache of the day before; {JOBS} processes, "
            f"from exec to exit, {rounds} rounds in turn.",
            metrics={"wall_ms": "wall ms", "cpu_ms": "CPU ms"},
            rows=in_turn(rows, rounds, warmups=0),
            base=INTERVALS[60],
            notes=(
                "A day is 1,440 or 288 runs with their drift, in a pack of its own. Python and its "
                "imports are in every row.",
                "The cache is checked: its newest entry, the rarer ones and a sample are read "
                "again, and packs that changed in size, time or inode since are swept again.",
            ),
        )
    ]


def _day_after(interval: int) -> tuple[Place, Path]:
    place, cache = copied(shared(RUNS)), directory() / "cache"
    audit(place, JOBS, cache)
    grow(place, DAY_S // interval, Habit(interval))
    return place, cache


def _news(place: Place, cache: Path) -> Sample:
    """Audit the new day; the cache of the day before stays for the next round."""
    kept = cache.with_name("kept")
    shutil.copyfile(cache, kept)
    return _continued(place, kept)


def _nothing(place: Place, cache: Path) -> Sample:
    """Audit again with a cache that is up to date."""
    kept = cache.with_name("kept")
    return _continued(place, kept)


def _continued(place: Place, cache: Path) -> Sample:
    found = audit(place, JOBS, cache)
    if not found.continued:
        raise RuntimeError("the audit did not go on from the earlier one")
    return found.cost
