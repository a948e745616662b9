"""Asking whether there is a newer desired state, when there is none."""

import subprocess
import tempfile
from datetime import timedelta
from pathlib import Path

from benchmarks.installed import PROJECT
from benchmarks.rounds import Row, cost_of, in_turn, program
from benchmarks.table import Table
from reconciler.desired.directory import read_directory
from reconciler.desired.source import FleetSource
from reconciler.evidence.signers import parse
from tests.support.commands import MINIMAL_ENV
from tests.support.fleet_git import START
from tests.support.trust_fleet import TrustFleet, line

OURS = 20
APPROVED = 50
FETCH, LOOK = "FleetSource.fetch", "the same, and standing and heartbeat held against the trust"


def measure(rounds: int) -> list[Table]:
    """`FleetSource.fetch` and ``git fetch`` of the same two unchanged branches."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        fleet = _fleet(directory)
        source = FleetSource(directory / "mirror.git", str(fleet.path), "main")
        _accept(source, fleet)
        mirror = directory / "peer.git"
        _git("clone", "-q", "--mirror", str(fleet.path), str(mirror))
        peer = ["git", "-C", str(mirror), "fetch", "-q", "origin", "main", "attestations"]
        rows: dict[str, Row] = {
            FETCH: lambda: cost_of(source.fetch, OURS),
            LOOK: lambda: cost_of(lambda: _look(source, fleet), OURS),
            "git fetch origin main attestations": program(peer),
        }
        taken = in_turn(rows, rounds)
    return [
        Table(
            name="poll_noop",
            title="No-change poll of the template fleet and the attestations beside it, at a local "
            f"path, {rounds} rounds in turn.",
            metrics={"cpu_ms": "CPU ms", "wall_ms": "wall ms"},
            rows=taken,
            base=FETCH,
            versions={"git fetch origin main attestations": f"({_git('version').split()[2]})"},
            notes=(
                "A local path needs no handshake. Over SSH or HTTPS both pay the same one, and "
                "ours starts a child process, to be able to stop it.",
                f"A trust policy, {APPROVED} approvals and a heartbeat. The second row is what an "
                "appliance does at each interval: what was accepted is held against the newest "
                "signers and revocations, and the heartbeat's signature is verified, too.",
            ),
        )
    ]


def _fleet(directory: Path) -> TrustFleet:
    fleet = TrustFleet(directory / "fleet.git")
    fleet.begin(files={path: data.decode() for path, data in read_directory(PROJECT).items()})
    for number in range(APPROVED):
        fleet.commit("alice", {"runbooks/RB-A-001.yaml": f"id: RB-A-001\nnumber: {number}\n"})
        fleet.approve("bob")
    fleet.heartbeat("ci")
    return fleet


def _accept(source: FleetSource, fleet: TrustFleet) -> None:
    head, now = source.fetch(), START + timedelta(minutes=fleet.minutes)
    pinned = parse(line("alice").encode(), "pinned")
    source.verify_new(accepted=None, head=head, pinned=pinned, now=now)
    if _look(source, fleet) is None:
        raise RuntimeError("the heartbeat does not hold")


def _look(source: FleetSource, fleet: TrustFleet) -> object:
    """What a poll asks when the head is the one that was accepted."""
    head, now = source.fetch(), START + timedelta(minutes=fleet.minutes)
    source.standing(head, now)
    return source.heartbeat(accepted=head, head=head, now=now, newest=None).beat


def _git(*arguments: str) -> str:
    argv = ("git", *arguments)
    return subprocess.run(argv, check=True, capture_output=True, text=True, env=MINIMAL_ENV).stdout
