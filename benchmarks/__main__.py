"""``python -m benchmarks [NAME ...] [--rounds N] [--json FILE] [--readme]``."""

import argparse
import json
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from benchmarks.table import Table

NAMES = (
    "cli_start",
    "ledger_append",
    "ledger_long",
    "verify_year",
    "verify_day",
    "verify_intent",
    "hook_cost",
    "evidence_year",
    "poll_noop",
    "l1_rules",
    "sbom",
    "declared_tick",
    "tick_profile",
    "host_tick",
)

README = Path(__file__).with_name("README.md")
MARK = "<!-- measured: everything below is written by --readme -->"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; all")
    parser.add_argument("--rounds", type=int, default=7, help="rounds that count, at least 5")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every sample here, too")
    parser.add_argument("--readme", action="store_true", help="put the tables into README.md")
    found = parser.parse_args()
    unknown = sorted(set(found.names) - set(NAMES))
    if unknown:
        parser.error(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(NAMES)}")
    if found.rounds < 5:
        parser.error("a median of fewer than 5 rounds says nothing")
    return found


def main() -> None:
    """Run benchmarks and print their tables."""
    wanted = _arguments()
    tables: list[Table] = []
    for name in wanted.names or NAMES:
        measure: Callable[[int], list[Table]] = import_module(f"benchmarks.{name}").measure
        print(f"measuring {name} ...", file=sys.stderr, flush=True)
        for table in measure(wanted.rounds):
            tables.append(table)
            print(table.markdown(), flush=True)
    if wanted.json:
        wanted.json.write_text(json.dumps([table.document() for table in tables], indent=1))
    if wanted.readme:
        _write_readme(tables)


def _write_readme(tables: list[Table]) -> None:
    """Put tables below the mark, in place of older ones of the same benchmarks."""
    above, mark, below = README.read_text().partition(MARK)
    measured = "\n".join(_merged(below, tables))
    README.write_text(f"{above}{mark}\n\n{measured}")


def _merged(below: str, tables: list[Table]) -> list[str]:
    """Tables by the order of benchmarks; what was not measured again stays as it is."""
    new = {_benchmark(table.name) for table in tables}
    older = [f"## {part.rstrip()}\n" for part in below.split("## ")[1:]]
    kept = [part for part in older if _benchmark(part[3:]) in set(NAMES) - new]
    every = [*kept, *(table.markdown() for table in tables)]
    return sorted(every, key=lambda part: NAMES.index(_benchmark(part[3:])))


def _benchmark(title: str) -> str:
    return title.split("\n")[0].split(",")[0]


if __name__ == "__main__":
    main()
