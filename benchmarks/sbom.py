"""What a system is made of, from a real Nix store of 1,600 paths."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.installed import install
from benchmarks.rounds import Row, Sample, in_turn
from benchmarks.table import Table
from tests.support.bills import cyclonedx_complaint, spdx_complaints
from tests.support.nix_runtime import NixStore, open_nix
from tests.support.nix_systems import many_paths

PATHS = 1600
SPDX, CYCLONEDX = "reconciler sbom", "reconciler sbom --format cyclonedx"
PEER = "nix path-info --json, and a script"
PEER_SCRIPT = Path(__file__).with_name("sbom_peer.py")


def measure(rounds: int) -> list[Table]:
    """Both forms, and the script of an afternoon; their answers are compared first."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        store = NixStore(open_nix(), directory / "nix")
        system = many_paths(store, PATHS)
        programs = _programs(directory, store, system)
        rows = {row: _row(argv, store.env) for row, argv in programs.items()}
        for row in rows.values():
            row()
        _compare(directory)
        taken = in_turn(rows, rounds)
    return [
        Table(
            name="sbom",
            title=f"A bill of materials of {PATHS:,} store paths, {rounds} rounds in turn; "
            "modules compiled.",
            metrics={"cpu_ms": "CPU ms", "wall_ms": "wall ms", "peak_mib": "peak MiB"},
            rows=taken,
            base=SPDX,
            versions={PEER: f"({store.run('nix', '--version').split()[-1]})"},
            notes=(
                "Before it is measured, spdx-tools and the strict schema of CycloneDX accept "
                "what ours wrote, and the peer must list the same paths, hashes and references.",
                "The script keeps the whole closure in memory, twice; it says nothing of licences, "
                "package URLs and outputs, and no validator was asked about it.",
                "peak: the largest process.",
            ),
        )
    ]


def _programs(directory: Path, store: NixStore, system: str) -> Mapping[str, Sequence[str]]:
    app = install(directory / "app")
    start = f"import sys; sys.path.insert(0, {str(app)!r}); from reconciler.cli import main; main()"
    ours = (sys.executable, "-I", "-c", start, "sbom", "--root", str(store.root))
    ours = (*ours, "--system", system, "--output")
    peer = (sys.executable, "-I", str(PEER_SCRIPT), system)
    return {
        SPDX: (*ours, str(directory / "spdx.json")),
        CYCLONEDX: (*ours, str(directory / "cyclonedx.json"), "--format", "cyclonedx"),
        PEER: (*peer, str(directory / "peer.json")),
    }


def _row(argv: Sequence[str], env: Mapping[str, str]) -> Row:
    """A program and all it starts, from a small process: a child begins with its parent's peak."""

    def run() -> Sample:
        wall = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", _TIMED, *argv],
            env=dict(env),
            check=True,
            capture_output=True,
        )
        cpu_ms, peak_kib = done.stdout.split()[-2:]
        wall_ms = (time.monotonic() - wall) * 1000
        return {"cpu_ms": float(cpu_ms), "wall_ms": wall_ms, "peak_mib": int(peak_kib) / 1024}

    return run


_TIMED = """
import os, resource, sys
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]):
    raise SystemExit("failed")
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print((used.ru_utime + used.ru_stime) * 1000, used.ru_maxrss)
"""


def _compare(directory: Path) -> None:
    """Stop where a validator complains, or rows do not say the same."""
    complaints = spdx_complaints(directory / "spdx.json")
    said = cyclonedx_complaint((directory / "cyclonedx.json").read_text())
    if complaints or said is not None:
        raise RuntimeError(f"not valid: {complaints[:3]} {said}")
    ours, peer = (_facts(directory / name) for name in ("spdx.json", "peer.json"))
    if ours != peer or len(ours[0]) != PATHS:
        raise RuntimeError("the peer lists something else")


def _facts(file: Path) -> tuple[set[Any], set[Any]]:
    read = json.loads(file.read_text())
    packages = {
        (one["packageFileName"], one["checksums"][0]["checksumValue"]) for one in read["packages"]
    }
    return packages, {tuple(sorted(one.items())) for one in read["relationships"]}
