"""What is measured is what was meant: small runs of the parts, no times."""

from pathlib import Path

import pytest

from benchmarks import git_peer
from benchmarks.audited import audit
from benchmarks.drift import Habit
from benchmarks.ledger_append import append_full, append_slim, newest_run
from benchmarks.long_ledger import REF, Place, build

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return build(tmp_path_factory.mktemp("measured"), 60, Habit(1800, 10))


def test_an_audit_in_a_process_of_its_own_says_what_it_proved(place: Place, tmp_path: Path) -> None:
    first = audit(place, 2, tmp_path / "cache")
    again = audit(place, 2, tmp_path / "cache")

    assert (first.runs, first.continued, again.continued) == (60, False, True)
    assert 0 < first.checkpoints < first.entries
    assert first.own_mib > 10
    assert first.worker_mib == 0.0, "a short ledger needs one process"
    assert first.cost["cpu_ms"] > 0


def test_git_finds_the_sampled_signatures_good(place: Place) -> None:
    ids = git_peer.commits(place.repository, REF, 10)
    _, said = git_peer.timed(
        place.repository, ["log", "--no-walk", "--format=%G?", "--stdin"], "\n".join(ids).encode()
    )
    assert len(set(ids)) == 10
    assert said.split() == ["G"] * 10


def test_a_peer_that_fails_is_no_sample(place: Place) -> None:
    with pytest.raises(RuntimeError, match="exit 128"):
        git_peer.timed(place.repository, ["rev-parse", "--verify", "refs/heads/none"])


def test_both_kinds_of_entries_are_appended(tmp_path: Path) -> None:
    place = build(tmp_path, 3, Habit())
    with place.open() as ledger:
        body = newest_run(ledger)
        append_full(ledger, body)
        full = ledger.tip
        append_slim(ledger)
        assert (full.slim, ledger.tip.slim) == (False, True)
        assert len(full.body["findings"]) == 39
        assert ledger.tip.body["like"] == full.seq
    assert audit(place, 1).runs == 5
