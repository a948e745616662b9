"""The whole audit of a long ledger against what stock git says of the same signatures."""

import os
import time

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchmarks import git_peer
from benchmarks.audited import audit
from benchmarks.drift import Habit
from benchmarks.long_ledger import REF, Place, shared
from benchmarks.rounds import Row, Sample, in_turn
from benchmarks.stats import paired_ratio
from benchmarks.table import Samples, Table, number

RUNS = 100_000
SHORT = 10_000
FULL = 2_000
SAMPLED = 500
JOBS = 2
OURS = f"reconciler verify, {JOBS} processes"
LIMIT = "Ed25519 alone, all signatures, one core"
_YEAR = 525_600


def measure(rounds: int) -> list[Table]:
    """Against git and against the limit; memory by length; ledgers that always say everything."""
    place = shared(RUNS)
    return [_against_git(place, rounds), _memory(place), _full(rounds)]


def _against_git(place: Place, rounds: int) -> Table:
    ids = git_peer.commits(place.repository, REF, SAMPLED)
    found = audit(place, JOBS)
    signatures = _signatures(place, found.entries, found.checkpoints)
    rows: dict[str, Row] = {
        OURS: lambda: _each(audit(place, JOBS).cost, found.entries),
        "git verify-commit": lambda: _each(_verify_commit(place, ids), SAMPLED),
        "git log --format=%G?": lambda: _each(_log(place, ids), SAMPLED),
        LIMIT: lambda: _each(_ed25519(), 1, signatures / found.entries),
    }
    taken = in_turn(rows, rounds, warmups=0)
    return Table(
        name="verify_year",
        title=f"A ledger of {found.runs:,} runs, one a minute: {found.entries:,} entries, "
        f"{signatures:,} signatures; {rounds} rounds in turn, everything for one entry.",
        metrics={"wall_us": "wall µs", "cpu_us": "CPU µs", "year_s": "wall s, 525,600 entries"},
        rows=taken,
        base=OURS,
        versions={"git verify-commit": f"({git_peer.version()})"},
        notes=(_by_cpu(taken), *_NOTES),
    )


_NOTES = (
    f"git checked {SAMPLED} entries drawn by lot, and the rest is scaled; it said of each that its "
    "signature is good. It starts ssh-keygen for each, on one core; that is all it does.",
    "Ours is measured from exec to exit and does everything: strict form, signatures of commits, "
    "envelopes and checkpoints, order, chain, log, keys, gaps, and every byte of the store.",
    "Other work was on the two cores: the wall time of two processes suffers from that, and the "
    "CPU time of neighbours that share a core too, by up to a third.",
)


def _by_cpu(taken: dict[str, dict[str, list[float]]]) -> str:
    def times(row: str) -> str:
        found = paired_ratio(taken[row]["cpu_us"], taken[OURS]["cpu_us"])
        return f"{number(found.middle)} [{number(found.low)}-{number(found.high)}]"

    limit = paired_ratio(taken[OURS]["cpu_us"], taken[LIMIT]["cpu_us"])
    return (
        f"By CPU: git verify-commit takes {times('git verify-commit')} times as much as ours, "
        f"git log {times('git log --format=%G?')} times. Ours takes {number(limit.middle)} "
        f"[{number(limit.low)}-{number(limit.high)}] times what the Ed25519 verifications of "
        "`cryptography` alone take, measured in the same rounds."
    )


def _signatures(place: Place, entries: int, checkpoints: int) -> int:
    files = git_peer.git(place.repository, "ls-tree", "-r", "--name-only", REF).count("\n")
    return entries + files + checkpoints


def _alone(place: Place) -> Sample:
    found = audit(place, 1)
    return _each(found.cost, found.entries)


def _each(cost: Sample, entries: int, times: float = 1.0) -> Sample:
    wall, cpu = (cost[name] * 1000 * times / entries for name in ("wall_ms", "cpu_ms"))
    return {"wall_us": wall, "cpu_us": cpu, "year_s": wall * _YEAR / 1e6}


def _verify_commit(place: Place, ids: list[str]) -> Sample:
    return git_peer.timed(place.repository, ["verify-commit", *ids])[0]


def _log(place: Place, ids: list[str]) -> Sample:
    arguments = ["log", "--no-walk", "--format=%G?", "--stdin"]
    cost, said = git_peer.timed(place.repository, arguments, "\n".join([*ids, ""]).encode())
    if said.split() != ["G"] * len(ids):
        raise RuntimeError("git does not find every signature good")
    return cost


def _ed25519(times: int = 4000) -> Sample:
    """Cost of one verification, of a message as long as that of a commit's signature."""
    key = Ed25519PrivateKey.generate()
    public, messages = key.public_key(), [os.urandom(97) for _ in range(times)]
    signed = [(key.sign(message), message) for message in messages]
    wall, cpu = time.monotonic(), time.process_time()
    for signature, message in signed:
        public.verify(signature, message)
    used = {"wall_ms": time.monotonic() - wall, "cpu_ms": time.process_time() - cpu}
    return {name: seconds * 1000 / times for name, seconds in used.items()}


def _memory(place: Place) -> Table:
    rows: dict[str, Samples] = {}
    for runs, ledger in ((SHORT, shared(SHORT)), (RUNS, place)):
        found = audit(ledger, JOBS)
        rows[f"{runs:,} runs"] = {
            "both_mib": [found.own_mib + JOBS * found.worker_mib],
            "worker_mib": [found.worker_mib],
            "own_mib": [found.own_mib],
            "heap_mib": [found.heap_mib],
        }
    return Table(
        name="verify_year, memory",
        title=f"Peak resident memory of the whole audit with {JOBS} processes; one look each.",
        metrics={
            "both_mib": "all MiB, at most",
            "worker_mib": "largest worker MiB",
            "own_mib": "parent MiB",
            "heap_mib": "parent MiB, without mapped files",
        },
        rows=rows,
        base=f"{SHORT:,} runs",
        notes=(
            "Workers hold one stretch of some thousand entries at a time. The parent holds, for "
            "each object, that it was seen, and for each entry its digest and its time; packs are "
            "mapped, and count as memory as far as they were read.",
        ),
    )


def _full(rounds: int) -> Table:
    quiet, full = shared(FULL), shared(FULL, Habit(news_every=1))
    rows: dict[str, Row] = {}
    for name, place in (("realistic drift", quiet), ("every run in full", full)):
        rows[name] = lambda place=place: _alone(place)  # type: ignore[misc]
    return Table(
        name="verify_year, every run in full",
        title=f"Ledgers of {FULL:,} runs, one process, {rounds} rounds in turn, for one entry.",
        metrics={"cpu_us": "CPU µs", "wall_us": "wall µs"},
        rows=in_turn(rows, rounds),
        base="realistic drift",
        notes=(
            "An entry with a file has a second signature, some 20 kB of canonical JSON, and five "
            "trees. Start and imports are in it, and weigh more than in a long ledger.",
        ),
    )
