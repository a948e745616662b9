"""Signed, durable appends against what a person would type: ``git add`` and ``git commit -S``."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.rounds import Row, Sample, cost_of, in_turn
from benchmarks.table import Table
from reconciler.evidence.statement import Kind
from reconciler.ledger import keys
from reconciler.ledger.store import Ledger
from tests.support.commands import MINIMAL_ENV

CLIENT, HOST = "example-clinic", "workstation"
FINDINGS = 39
"""Findings in a run of the baseline linux-hipaa-v1 on one host."""

OURS = 20
GIT = 5
LENGTHS = (100, 1000)
EVERY = timedelta(minutes=5)
"""The usual interval between runs; entries of one day lie in one folder."""


def measure(rounds: int) -> list[Table]:
    """Throughput against git, and cost at two lengths of the ledger."""
    with _directory() as directory:
        return [_against_git(directory, rounds), _flatness(directory, rounds)]


@contextmanager
def _directory() -> Iterator[Path]:
    """On a disk, not in memory: fsync is part of what is measured."""
    directory = Path(tempfile.mkdtemp(dir="/var/tmp"))
    try:
        yield directory
    finally:
        shutil.rmtree(directory)


def run_body(findings: int = FINDINGS) -> dict[str, Any]:
    """The body of a ``run`` entry of the usual size, with made-up findings."""
    return {
        "findings": [
            {
                "rule": f"rule-{number}",
                "check": "LNX-SYSCTL-001",
                "status": "pass",
                "severity": "low",
                "controls": ["hipaa:164.308(a)(1)(ii)(B)", "hipaa:164.312(e)(1)"],
                "observed": {"number": number},
                "expected": {"number": str(number)},
                "failed": [],
                "reason": "",
                "exception": None,
                "raw_digest": f"{number:064x}",
            }
            for number in range(findings)
        ]
    }


def _ledger(directory: Path, name: str) -> Ledger:
    key = keys.generate(directory / f"{name}.key", f"{CLIENT}/{HOST}")
    place = directory / f"{name}.git"
    first = {"made": "for a benchmark"}
    now = datetime.now(UTC)
    return Ledger.create(
        place, CLIENT, HOST, key, body=first, at=now, signers_file=directory / "signers"
    )


def _append(ledger: Ledger, body: dict[str, Any], times: int) -> None:
    for _ in range(times):
        ledger.append(Kind.RUN, body, at=ledger.tip.time + EVERY, subject=None)


def _against_git(directory: Path, rounds: int) -> Table:
    body = run_body()
    with _ledger(directory, "race") as ledger:
        _append(ledger, body, 1)
        content = _statement(directory / "race.git")
        plain = _GitPeer(directory, "plain", content, ())
        durable = _GitPeer(directory, "durable", content, ("core.fsync=all",))
        rows: dict[str, Row] = {
            "Ledger.append": lambda: _rated(ledger, body),
            "git add && git commit -S": plain.commit,
            "the same, core.fsync=all": durable.commit,
        }
        taken = in_turn(rows, rounds)
    return Table(
        name="ledger_append",
        title=f"Signed entries of {len(content):,} bytes on one disk, {rounds} rounds of {OURS} "
        f"(ours) and {GIT} (git) in turn; SSH signatures (Ed25519).",
        metrics={"cpu_ms": "CPU ms an entry", "wall_ms": "wall ms an entry", "per_s": "entries/s"},
        rows=taken,
        base="Ledger.append",
        versions={"git add && git commit -S": f"({_version()})"},
        notes=(
            "An entry of ours is a signed DSSE envelope in a signed commit: two signatures, seven "
            "objects. All of it, the reference too, is synced before the receipt; git by default "
            "syncs objects and not the reference.",
            "Git starts ssh-keygen for each signature; the same stock tools verify both.",
        ),
    )


def _rated(ledger: Ledger, body: dict[str, Any]) -> Sample:
    cost = cost_of(lambda: _append(ledger, body, 1), OURS)
    return {**cost, "per_s": 1000 / cost["wall_ms"]}


def _flatness(directory: Path, rounds: int) -> Table:
    """The cost at 1,000 entries divided by that at 100, on two ledgers, measured in turn."""
    body = run_body()
    rows: dict[str, Row] = {}
    ledgers = []
    for length in LENGTHS:
        ledger = _ledger(directory, f"long-{length}")
        ledgers.append(ledger)
        _append(ledger, body, length - 1)
        rows[f"{length} entries"] = lambda ledger=ledger: cost_of(  # type: ignore[misc]
            lambda: _append(ledger, body, 1), OURS
        )
        rows[f"open and prove the newest of {length}"] = lambda length=length: cost_of(  # type: ignore[misc]
            lambda: _reopen(directory, length), OURS
        )
    taken = in_turn(rows, rounds)
    for ledger in ledgers:
        ledger.close()
    return Table(
        name="ledger_flatness",
        title=f"Append to, and open, a ledger that holds so many entries; {rounds} rounds of "
        f"{OURS} in turn.",
        metrics={"cpu_ms": "CPU ms", "wall_ms": "wall ms"},
        rows=taken,
        base="100 entries",
        notes=(
            "Entries are five minutes apart, as in the daemon. The ledgers grow by a few hundred "
            "entries while they are measured.",
        ),
    )


def _reopen(directory: Path, length: int) -> None:
    key = keys.load(directory / f"long-{length}.key")
    Ledger.open(directory / f"long-{length}.git", CLIENT, HOST, key).close()


def _statement(repository: Path) -> bytes:
    """The bytes of the largest file of the newest entry."""
    names = _git(repository, "ls-tree", "-r", "--name-only", f"{CLIENT}/{HOST}").split()
    files = [_git(repository, "show", f"{CLIENT}/{HOST}:{name}") for name in names]
    return max(files, key=len).encode()


def _version() -> str:
    return _git(Path("/"), "version").split()[2]


def _git(directory: Path, *arguments: str) -> str:
    argv = ("git", "-C", str(directory), *arguments)
    return subprocess.run(argv, check=True, capture_output=True, text=True, env=MINIMAL_ENV).stdout


class _GitPeer:
    """A work tree where every commit is signed by git itself."""

    def __init__(
        self, directory: Path, name: str, content: bytes, settings: tuple[str, ...]
    ) -> None:
        self._work = directory / name
        self._content = content
        self._count = 0
        key = directory / f"{name}-key"
        keys.generate(key, "engineer@msp.example")
        _git(directory, "init", "-q", str(self._work))
        usual = (
            "gpg.format=ssh",
            f"user.signingkey={key}",
            "user.name=E",
            "user.email=e@msp.example",
        )
        for setting in (*usual, *settings):
            _git(self._work, "config", *setting.split("=", 1))

    def commit(self) -> Sample:
        """The cost of one of several commits."""
        cost = cost_of(self._one, GIT)
        return {**cost, "per_s": 1000 / cost["wall_ms"]}

    def _one(self) -> None:
        self._count += 1
        name = f"{self._count:08d}.json"
        (self._work / name).write_bytes(self._content[:-8] + f"{self._count:08d}".encode())
        _git(self._work, "add", name)
        _git(self._work, "commit", "-q", "-S", "-m", name)
