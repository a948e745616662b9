"""Acceptance equals that of a slow, obvious reference: the same answer for every random fleet.

Thousands of seeds: ``python -m tests.support.trust_compare FIRST LAST``.
"""

from pathlib import Path

import pytest

from reconciler.desired.refusal import Reason
from tests.support.commands import host
from tests.support.random_trust import random_questions
from tests.support.reference_git import History
from tests.support.trust_compare import Opinions, compare

SEEDS = range(80)
RARE = (92, 95, 96, 132, 142, 177, 182)
"""Seeds of what so few fleets do not show: first acceptances, for one, or a dropped policy."""

DECIDED = {
    *("not-fast-forward", "rewound", "unsigned", "bad-signature", "unknown-signer"),
    *("signer-expired", "signer-not-yet-valid", "signer-revoked", "signers-missing"),
    *("time-went-back", "from-the-future", "path-unowned", "wrong-role", "not-first-parent"),
    *("approvals-missing", "trust-policy-broken", "trust-policy-dropped", "branch-untrusted"),
    *("release-missing", "release-refused"),
}
ELSEWHERE = {
    *("malformed-commit", "missing-branch", "too-large", "too-many-commits", "tree-refused"),
    # They hold or explain; what they decide is tried against a whole appliance.
    *("recovery-short", "revoked-content", "stale", "heartbeat-missing", "heartbeat-replayed"),
    *("heartbeat-conflict", "heartbeat-refused", "head-went-back"),
    *("release-conflict", "release-revoked"),
}
"""Codes of bytes and servers, and of freshness: tests/attacks."""
KINDS = {
    *("forward", "nothing new", "recovered", "pin", "first", "by whoever merged"),
    *("by attestation: approvals-missing", "by attestation: release-missing"),
}


@pytest.fixture(scope="module")
def opinions(tmp_path_factory: pytest.TempPathFactory) -> list[Opinions]:
    folder = tmp_path_factory.mktemp("fleets")
    return [both for seed in (*SEEDS, *RARE) for both in compare(seed, folder / str(seed))]


def test_program_and_reference_accept_the_same(opinions: list[Opinions]) -> None:
    assert [both for both in opinions if not both.agree] == []


def test_program_and_reference_name_the_same_reason(opinions: list[Opinions]) -> None:
    assert [both for both in opinions if not both.same_code] == []


def test_program_and_reference_hold_the_same_content_back(opinions: list[Opinions]) -> None:
    assert [both for both in opinions if both.tainted != both.program_tainted] == []
    assert sum(bool(both.tainted) for both in opinions) >= 3


def test_every_reason_and_every_way_to_be_accepted_occurred(opinions: list[Opinions]) -> None:
    seen = frozenset().union(*(both.kinds for both in opinions))
    assert seen >= DECIDED | KINDS, f"missing: {sorted((DECIDED | KINDS) - seen)}"
    assert sum(both.reference == "accepted" for both in opinions) > len(opinions) / 4


def test_every_reason_is_tried_here_or_said_to_be_tried_elsewhere() -> None:
    assert {reason.value for reason in Reason} == DECIDED | ELSEWHERE


@pytest.mark.conformance
@pytest.mark.parametrize("seed", range(12))
def test_the_reference_reads_history_as_stock_git_does(seed: int, tmp_path: Path) -> None:
    """Where the reference computes by itself, git says the same."""
    question = random_questions(seed, tmp_path)[0]
    history = History(question.history.path)
    commits = sorted(history.commits)

    def git(*arguments: str) -> list[str]:
        return host("git", "-C", str(history.path), *arguments).split()

    for one in commits[:12]:
        assert history.reach(one) == set(git("rev-list", one))
        listed = host("git", "-C", str(history.path), "ls-tree", "-r", one).splitlines()
        fields = {line.split("\t")[1]: tuple(line.split()[0:3:2]) for line in listed}
        assert history.files(one) == fields
        two = commits[-1 - commits.index(one)]
        done = history.merge_bases(one, two)
        assert done == set(git("merge-base", "--all", one, two) if done else ())
    order = history.parents_first(history.reach(question.head))
    places = {commit: place for place, commit in enumerate(order)}
    assert all(places[p] < places[c] for c in order for p in history.commits[c].parents)
