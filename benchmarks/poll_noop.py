"""Asking whether there is a newer desired state, when there is none."""

import subprocess
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.installed import PROJECT
from benchmarks.rounds import Row, cost_of, in_turn, program
from benchmarks.table import Table
from reconciler.desired.directory import read_directory
from reconciler.desired.scaffold import commit_signed, init_fleet
from reconciler.desired.source import FleetSource
from reconciler.ledger import keys
from tests.support.commands import MINIMAL_ENV

OURS = 20


def measure(rounds: int) -> list[Table]:
    """`FleetSource.fetch` and ``git fetch`` of the same unchanged repository."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        fleet = _fleet(directory)
        source = FleetSource(directory / "mirror.git", str(fleet), "main")
        source.fetch()
        mirror = directory / "peer.git"
        _git("clone", "-q", "--mirror", str(fleet), str(mirror))
        rows: dict[str, Row] = {
            "FleetSource.fetch": lambda: cost_of(source.fetch, OURS),
            "git fetch": program(["git", "-C", str(mirror), "fetch", "-q", "origin"]),
        }
        taken = in_turn(rows, rounds)
    return [
        Table(
            name="poll_noop",
            title=f"No-change poll of the template fleet at a local path, {rounds} rounds in turn.",
            metrics={"cpu_ms": "CPU ms", "wall_ms": "wall ms"},
            rows=taken,
            base="FleetSource.fetch",
            versions={"git fetch": f"({_git('version').split()[2]})"},
            notes=(
                "A local path needs no handshake. Over SSH or HTTPS both pay the same one, and "
                "ours starts a child process, to be able to stop it.",
            ),
        )
    ]


def _fleet(directory: Path) -> Path:
    fleet = directory / "fleet"
    for path, data in read_directory(PROJECT).items():
        file = fleet / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    key = keys.generate(directory / "key", "engineer@msp.example")
    who = {"name": "Engineer", "email": "engineer@msp.example"}
    init_fleet(fleet, key_file=directory / "key", **who)
    commit_signed(fleet, "Start", key=key, at=datetime.now(UTC), **who)
    return fleet


def _git(*arguments: str) -> str:
    argv = ("git", *arguments)
    return subprocess.run(argv, check=True, capture_output=True, text=True, env=MINIMAL_ENV).stdout
