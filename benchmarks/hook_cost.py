"""What the hook of an evidence repository adds to a push."""

import shutil
from collections.abc import Callable
from pathlib import Path

from benchmarks import git_peer
from benchmarks.drift import Habit
from benchmarks.long_ledger import HOST, REF, Place, build
from benchmarks.rounds import Row, Sample, in_turn
from benchmarks.scratch import directory, program
from benchmarks.table import Table
from reconciler.ledger.remote.init import init_server, templates

BEFORE = 1000
"""Entries that are there already."""
BROUGHT = (1, 1000)


def measure(rounds: int) -> list[Table]:
    """Pushes of one entry and of many, with the hook and without."""
    place = build(directory(), BEFORE + max(BROUGHT) + 100, Habit())
    every = git_peer.git(place.repository, "rev-list", "--reverse", REF).split()
    return [_pushes(place, every, brought, rounds) for brought in BROUGHT]


def _pushes(place: Place, every: list[str], brought: int, rounds: int) -> Table:
    old, new = every[BEFORE - 1], every[BEFORE - 1 + brought]
    server = _server(place, old)
    plain = f"git push {brought:,}, no hook"
    rows: dict[str, Row] = {
        plain: lambda: _push(place, server, new, _without_hook),
        f"git push {brought:,}, our pre-receive hook": lambda: _push(place, server, new),
    }
    noun = "entry" if brought == 1 else "entries"
    return Table(
        name=f"hook_cost, {brought:,} {noun}",
        title=f"git push of {brought:,} {noun} to a repository of {BEFORE:,} on the same disk, "
        f"{rounds} rounds in turn; CPU of git and of the hook.",
        metrics={"cpu_ms": "CPU ms", "wall_ms": "wall ms"},
        rows=in_turn(rows, rounds),
        base=plain,
        versions={plain: f"({git_peer.version()})"},
        notes=(
            "The hook starts Python and proves every new entry as the audit would. Both rows have "
            "the server's other settings: fsckObjects, and everything synced.",
        ),
    )


def _server(place: Place, old: str) -> Path:
    """An evidence repository with the older part of the ledger in it."""
    server = directory() / "server.git"
    init_server(server, templates(), place.signers, program=program())
    git_peer.timed(place.repository, ["push", "-q", str(server), f"{old}:{REF}"])
    return server


def _push(
    place: Place, server: Path, new: str, change: Callable[[Path], None] = lambda _server: None
) -> Sample:
    """One push to a copy of the server."""
    copy = server.with_name("copy.git")
    shutil.copytree(server, copy)
    change(copy)
    try:
        cost, _ = git_peer.timed(place.repository, ["push", "-q", str(copy), f"{new}:{REF}"])
        if git_peer.git(copy, "rev-parse", REF).strip() != new:
            raise RuntimeError(f"the branch of {HOST} did not move")
    finally:
        shutil.rmtree(copy)
    return cost


def _without_hook(server: Path) -> None:
    (server / "hooks/pre-receive").unlink()
