"""Signed, durable appends against what a person would type: ``git add`` and ``git commit -S``."""

import subprocess
from datetime import timedelta
from pathlib import Path

from benchmarks.drift import BOOT, SUBJECT, Body, Habit
from benchmarks.git_peer import version
from benchmarks.long_ledger import CLIENT, HOST, build
from benchmarks.rounds import Row, Sample, cost_of, in_turn
from benchmarks.scratch import directory
from benchmarks.stats import paired_ratio
from benchmarks.table import Table, number
from reconciler.evidence.entry import Kind
from reconciler.ledger import keys
from reconciler.ledger.store import Ledger
from tests.support.commands import MINIMAL_ENV

OURS = 20
GIT = 5
EVERY = timedelta(minutes=1)
SLIM = "Ledger.append_slim, a run that found the same"
FULL = "Ledger.append, a run with all its findings"
_PLAIN = "git add && git commit -S"
_DURABLE = "the same, core.fsync=all"
_EMPTY = "git commit -S --allow-empty"


def measure(rounds: int) -> list[Table]:
    """Throughput of both kinds of entries against git."""
    place = build(directory(), 1, Habit())
    content = _statement(place.repository)
    work = directory()
    with place.open() as ledger:
        body = newest_run(ledger)
        plain = _GitPeer(work, "plain", content, ())
        durable = _GitPeer(work, "durable", content, ("core.fsync=all",))
        rows: dict[str, Row] = {
            SLIM: lambda: _rated(cost_of(lambda: append_slim(ledger), OURS)),
            FULL: lambda: _rated(cost_of(lambda: append_full(ledger, body), OURS)),
            _PLAIN: plain.commit,
            _DURABLE: durable.commit,
            _EMPTY: plain.commit_nothing,
        }
        taken = in_turn(rows, rounds)
    full = paired_ratio(taken[_PLAIN]["cpu_ms"], taken[FULL]["cpu_ms"])
    wall = paired_ratio(taken[_PLAIN]["wall_ms"], taken[SLIM]["wall_ms"])
    return [
        Table(
            name="ledger_append",
            title=f"Signed entries on one disk, {rounds} rounds of {OURS} (ours) and {GIT} (git) "
            f"in turn; SSH signatures (Ed25519); a file of {len(content):,} bytes where there is "
            "one.",
            metrics={
                "cpu_ms": "CPU ms an entry",
                "wall_ms": "wall ms an entry",
                "per_s": "entries/s",
            },
            rows=taken,
            base=SLIM,
            versions={_PLAIN: f"({version()})"},
            notes=(
                f"git add && git commit -S costs {number(full.middle)} "
                f"[{number(full.low)}-{number(full.high)}] times the CPU of Ledger.append. By "
                f"wall time it costs {number(wall.middle)} [{number(wall.low)}-"
                f"{number(wall.high)}] times Ledger.append_slim, which is what nearly every run "
                "appends.",
                "An entry with a file is a signed DSSE envelope in a signed commit: two "
                "signatures, seven objects. One without a file is a signed commit. Of ours all is "
                "synced before the receipt, the reference too; git by default waits for none of "
                "what it writes here, and with core.fsync=all for all of it.",
                "Git starts ssh-keygen for each signature; the same stock tools verify both.",
            ),
        )
    ]


def newest_run(ledger: Ledger) -> Body:
    """The body of the newest run with findings."""
    entries = (record.entry for record in ledger.entries())
    return dict(next(e.body for e in entries if e.kind is Kind.RUN and not e.slim))


def append_full(ledger: Ledger, body: Body) -> None:
    """Append a run with a file."""
    at = ledger.tip.time + EVERY
    ledger.append(Kind.RUN, body, at=at, subject=SUBJECT, boot_id=BOOT)


def append_slim(ledger: Ledger) -> None:
    """Append a run without one."""
    body = {"like": ledger.head.base.seq, "reached": True, "took_ms": 900}
    ledger.append_slim(Kind.RUN, body, at=ledger.tip.time + EVERY)


def _rated(cost: Sample) -> Sample:
    return {**cost, "per_s": 1000 / cost["wall_ms"]}


def _statement(repository: Path) -> bytes:
    """The bytes of the largest file of the newest entry."""
    names = _git(repository, "ls-tree", "-r", "--name-only", f"{CLIENT}/{HOST}").split()
    files = [_git(repository, "show", f"{CLIENT}/{HOST}:{name}") for name in names]
    return max(files, key=len).encode()


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
        return _rated(cost_of(self._one, GIT))

    def commit_nothing(self) -> Sample:
        """The cost of one of several commits that add no file."""
        return _rated(cost_of(self._nothing, GIT))

    def _nothing(self) -> None:
        _git(self._work, "commit", "-q", "-S", "--allow-empty", "-m", "as before")

    def _one(self) -> None:
        self._count += 1
        name = f"{self._count:08d}.json"
        (self._work / name).write_bytes(self._content[:-8] + f"{self._count:08d}".encode())
        _git(self._work, "add", name)
        _git(self._work, "commit", "-q", "-S", "-m", name)
