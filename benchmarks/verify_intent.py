"""Deciding whether 10,000 new fleet commits are trusted, against what stock git says of them."""

from collections.abc import Mapping

import pygit2

from benchmarks import git_peer
from benchmarks.intent_history import History, history
from benchmarks.rounds import Row, Sample, cost_of, in_turn
from benchmarks.stats import paired_ratio
from benchmarks.table import Samples, Table, number
from reconciler.desired.attestations import Attestations
from reconciler.desired.trust.verify import verify_new

COMMITS = 10_000
SAMPLED = 300
BASE = "verify_new, trust policy, an approval for each commit"
PLAIN = "verify_new, no trust policy"
GIT = "git verify-commit"


def measure(rounds: int) -> list[Table]:
    """Without a policy, with one, and with approvals."""
    plain = history(COMMITS, approvals=None)
    open_rules = history(COMMITS, approvals=0)
    strict = history(COMMITS, approvals=1)
    ids = git_peer.commits(strict.repository, strict.head, SAMPLED)
    rows: dict[str, Row] = {
        BASE: lambda: _each(_verified(strict, strict.each), COMMITS),
        "verify_new, trust policy, one push approved whole": lambda: _each(
            _verified(strict, strict.whole), COMMITS
        ),
        "verify_new, trust policy, no approvals asked for": lambda: _each(
            _verified(open_rules, None), COMMITS
        ),
        PLAIN: lambda: _each(_verified(plain, None), COMMITS),
        GIT: lambda: _each(_verify_commit(strict, ids), SAMPLED),
    }
    taken = in_turn(rows, rounds, warmups=0)
    return [
        Table(
            name="verify_intent",
            title=f"{COMMITS:,} new commits of a fleet repository, each signed, {rounds} rounds in "
            "turn; everything for one commit, on one core.",
            metrics={"cpu_us": "CPU µs", "wall_us": "wall µs", "all_s": f"wall s, {COMMITS:,}"},
            rows=taken,
            base=BASE,
            versions={GIT: f"({git_peer.version()})"},
            notes=(_without_policy(taken), *_NOTES),
        )
    ]


_NOTES = (
    f"git checked {SAMPLED} of the same commits, drawn by lot, and the rest is scaled. It starts "
    "ssh-keygen for each and holds it against one file of signers; that is all it does.",
    "Ours holds each commit against the signers in the trees of its parents and, with a policy, "
    "finds every path that it changed of its own, the rule that owns the path, roles and clients, "
    "and for each step of the line who approved it. An approval is a second signature.",
    "Ours is measured in a process that is there already, as the appliance is; a history of that "
    "length comes at once only to an appliance that begins, or was away for years.",
)


def _without_policy(taken: Mapping[str, Samples]) -> str:
    found = paired_ratio(taken[GIT]["cpu_us"], taken[PLAIN]["cpu_us"])
    return (
        f"By CPU git verify-commit takes {number(found.middle)} [{number(found.low)}-"
        f"{number(found.high)}] times what ours takes without a policy."
    )


def _verified(found: History, attestations: str | None) -> Sample:
    def verify() -> None:
        repository = pygit2.Repository(str(found.repository))
        acceptance = verify_new(
            repository,
            found.accepted,
            found.head,
            found.pinned,
            found.now,
            branch="main",
            attestations=Attestations(repository, attestations),
        )
        if len(acceptance.commits) != found.commits:
            raise RuntimeError("not every commit was verified")

    return cost_of(verify)


def _verify_commit(found: History, ids: list[str]) -> Sample:
    return git_peer.timed(found.repository, ["verify-commit", *ids])[0]


def _each(cost: Sample, commits: int) -> Sample:
    wall, cpu = (cost[name] * 1000 / commits for name in ("wall_ms", "cpu_ms"))
    return {"cpu_us": cpu, "wall_us": wall, "all_s": wall * COMMITS / 1e6}
