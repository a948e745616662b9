"""What appending, opening and packing cost in a long ledger, against a short one."""

from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta

from benchmarks.drift import Habit, Host
from benchmarks.ledger_append import OURS, append_full, append_slim, newest_run
from benchmarks.long_ledger import REF, Place, copied, shared
from benchmarks.rounds import Row, cost_of, in_turn
from benchmarks.table import Samples, Table
from reconciler.ledger.packing.repack import repack

LENGTHS = (1000, 100_000)
WEEK = 2016
"""Runs between two looks of the housekeeping: some two thousand loose objects."""


def measure(rounds: int) -> list[Table]:
    """Cost of one more entry, and of packing many."""
    places = {runs: copied(shared(runs)) for runs in LENGTHS}
    return [*_one_more(places, rounds), _week(places)]


def _one_more(places: dict[int, Place], rounds: int) -> list[Table]:
    works: dict[str, dict[int, Callable[[], None]]] = {"slim": {}, "full": {}, "open": {}}
    with ExitStack() as stack:
        for runs, place in places.items():
            ledger = stack.enter_context(place.open())
            body = newest_run(ledger)
            works["slim"][runs] = lambda ledger=ledger: append_slim(ledger)  # type: ignore[misc]
            works["full"][runs] = lambda ledger=ledger, body=body: append_full(ledger, body)  # type: ignore[misc]
            works["open"][runs] = lambda place=place: place.open().close()  # type: ignore[misc]
        return [_flat(what, work, rounds) for what, work in works.items()]


def _flat(what: str, works: dict[int, Callable[[], None]], rounds: int) -> Table:
    said = {
        "slim": "Append a run that found the same",
        "full": "Append a run with all its findings",
        "open": "Open, which proves the newest entries",
    }
    rows: dict[str, Row] = {
        f"{runs:,} runs": lambda work=work: cost_of(work, OURS)  # type: ignore[misc]
        for runs, work in works.items()
    }
    return Table(
        name=f"ledger_long, {what}",
        title=f"{said[what]}, {rounds} rounds of {OURS} in turn; ledgers with realistic drift, "
        "packed by our repack as they grew.",
        metrics={"cpu_ms": "CPU ms", "wall_ms": "wall ms"},
        rows=in_turn(rows, rounds),
        base=f"{LENGTHS[0]:,} runs",
    )


def _week(places: dict[int, Place]) -> Table:
    rows: dict[str, Samples] = {}
    for runs, place in places.items():
        with place.open() as ledger:
            entries = ledger.tip.seq
            host = Host(ledger, Habit(), ledger.tip.time + timedelta(minutes=1))
            appended = cost_of(lambda host=host: host.live(WEEK))  # type: ignore[misc]
            entries = ledger.tip.seq - entries
        packed = cost_of(lambda place=place: repack(place.repository, REF))  # type: ignore[misc]
        rows[f"{runs:,} runs"] = {
            "both_ms": [(appended["cpu_ms"] + packed["cpu_ms"]) / entries],
            "append_ms": [appended["cpu_ms"] / entries],
            "pack_ms": [packed["cpu_ms"] / entries],
            "longest_s": [packed["wall_ms"] / 1000],
        }
    return Table(
        name="ledger_long, packed",
        title=f"{WEEK:,} more runs with realistic drift, each synced, and then one repack; "
        "for one entry, one look.",
        metrics={
            "both_ms": "CPU ms, both",
            "append_ms": "CPU ms to append",
            "pack_ms": "CPU ms to pack",
            "longest_s": "wall s of the repack",
        },
        rows=rows,
        base=f"{LENGTHS[0]:,} runs",
        notes=(
            "A repack moves what is loose into a pack, reads it back, and merges small packs into "
            "larger ones; how many it merges depends on the turn, and grows with the logarithm.",
        ),
    )
