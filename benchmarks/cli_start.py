"""What the command line costs before it does anything: imports."""

import platform
import sys
import tempfile
from pathlib import Path

from benchmarks.installed import install
from benchmarks.rounds import in_turn, program
from benchmarks.table import Table

BASE = "python -I -S -c pass"


def measure(rounds: int) -> list[Table]:
    """`reconciler --help` and its neighbours against a bare interpreter."""
    with tempfile.TemporaryDirectory() as directory:
        app = install(Path(directory) / "app")
        start = (
            f"import sys; sys.path.insert(0, {str(app)!r}); from reconciler.cli import main; main()"
        )
        ours = [sys.executable, "-I", "-c", start]
        rows = {
            BASE: program([sys.executable, "-I", "-S", "-c", "pass"]),
            "python -I -c pass": program([sys.executable, "-I", "-c", "pass"]),
            "python -I -c 'import click'": program([sys.executable, "-I", "-c", "import click"]),
            "reconciler --version": program([*ours, "--version"]),
            "reconciler --help": program([*ours, "--help"]),
            "reconciler run --help": program([*ours, "run", "--help"]),
            "reconciler verify --help": program([*ours, "verify", "--help"]),
        }
        taken = in_turn(rows, rounds)
    return [
        Table(
            name="cli_start",
            title=f"CPU to start the command line, {rounds} rounds in turn; modules compiled.",
            metrics={"cpu_ms": "CPU ms", "wall_ms": "wall ms"},
            rows=taken,
            base=BASE,
            versions={BASE: f"({platform.python_version()})"},
        )
    ]
