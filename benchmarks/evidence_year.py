"""How much a repository grows in a year, packed by us and packed by git."""

import shutil
from pathlib import Path

from benchmarks import git_peer
from benchmarks.drift import Habit
from benchmarks.long_ledger import Place, copied, shared
from benchmarks.rounds import cost_of
from benchmarks.table import Samples, Table

RUNS = 30_000
YEAR = 525_600
SEALED = Habit(sealed=60)
OURS = "one signed commit a run, our packs"
_MB = 1e6


def measure(_rounds: int) -> list[Table]:
    """Bytes of packs and indexes; one look each, because nothing of it varies."""
    commit, sealed = shared(RUNS), shared(RUNS, SEALED)
    rows: dict[str, Samples] = {OURS: _size(commit.repository)}
    rows["the same, git gc"] = _packed(commit, "gc", "--quiet")
    rows["the same, git repack -adf"] = _packed(commit, "repack", "-adfq")
    rows["60 quiet runs under one signature, our packs"] = _size(sealed.repository)
    rows["that, git repack -adf"] = _packed(sealed, "repack", "-adfq")
    return [
        Table(
            name="evidence_year",
            title=f"One run a minute, {RUNS:,} runs ({RUNS // 1440} days) simulated, scaled to "
            f"{YEAR:,}: packs and their indexes.",
            metrics={"mb": "MB a year", "repack_s": "CPU s to repack all"},
            rows=rows,
            base=OURS,
            versions={"the same, git gc": f"({git_peer.version()})"},
            notes=(
                "One run in 200 has news and says everything, and so does the first of a day; a "
                "rule begins to fail or holds again, and half of what begins to fail is healed, "
                "with an intent and an outcome. The root of the log is signed every hour.",
                "Our packs are written by the week and merged, as the appliance does it; git gc "
                "and git repack began from those, gc reusing their deltas, repack -f none.",
                "Signatures, digests and salts cannot be packed: 64 + 32 bytes for each entry, the "
                "id of its parent, and 28 in the index, are 76 MB a year at one commit a run.",
            ),
        )
    ]


def _packed(place: Place, *arguments: str) -> Samples:
    copy = copied(place)
    cost = cost_of(lambda: git_peer.git(copy.repository, *arguments))
    size = _size(copy.repository)
    shutil.rmtree(copy.repository)
    return {**size, "repack_s": [cost["cpu_ms"] / 1000]}


def _size(repository: Path) -> Samples:
    files = (repository / "objects/pack").iterdir()
    return {"mb": [sum(file.stat().st_size for file in files) / RUNS * YEAR / _MB]}
