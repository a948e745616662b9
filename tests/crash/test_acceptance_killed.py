"""``kill -9`` between a verification and the entry that says so: the old acceptance stays."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.engine.appliance import read_ledger
from reconciler.engine.past import Past, recall_from
from reconciler.engine.settings import load_settings
from tests.support.crash_driver import in_child
from tests.support.drill import break_sysctl
from tests.support.watched import Watched, new_watched

pytestmark = [pytest.mark.crash, pytest.mark.timeout(300)]


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    """A machine that has accepted one commit; another one waits, by a rewritten history."""
    made = new_watched(tmp_path / "var")
    root = made.fleet.head
    old = made.commit("alice", {"README.md": "one\n"})
    made.beat()
    made.run()
    made.pass_time(60)
    made.commit("alice", {"README.md": "two\n"}, parents=(root,))
    made.fleet.recover(["alice", "carol"], [old], issued=made.minutes)
    made.beat()
    return made


def die_at(point: str) -> Callable[[str], None]:
    def hook(where: str) -> None:
        if where == point:
            os.kill(os.getpid(), signal.SIGKILL)

    return hook


def killed(watched: Watched, point: str) -> None:
    status = in_child(lambda: watched.run(hook=die_at(point)) and None)
    assert os.WIFSIGNALED(status), point
    assert os.WTERMSIG(status) == signal.SIGKILL
    watched.pass_time(300)


def recalled(watched: Watched) -> Past:
    return recall_from(read_ledger(load_settings(Path(watched.drill.site.settings))))


@pytest.mark.parametrize("point", ["pulled", "observed", "before-run-entry"])
def test_before_an_entry_says_so_nothing_was_accepted(watched: Watched, point: str) -> None:
    before = recalled(watched)
    killed(watched, point)
    after = recalled(watched)

    assert after.memory.accepted == before.memory.accepted
    assert after.standing.recovery is None
    assert after.standing.sight == before.standing.sight
    report = watched.run()
    assert (report.intent.commit, report.intent.counter) == (watched.fleet.head, 2)
    assert watched.drill.verify().ok, watched.drill.verify().sentence


def test_the_first_intent_under_a_new_state_makes_it_accepted(watched: Watched) -> None:
    break_sysctl(watched.drill.machine)
    killed(watched, "after-intent")
    after = recalled(watched)

    assert after.memory.accepted is not None
    assert (after.memory.accepted.commit, after.memory.accepted.counter) == (watched.fleet.head, 2)
    assert after.standing.recovery is not None
    assert after.standing.recovery.people == ("alice", "carol")
    report = watched.run()
    assert (report.intent.refused, report.intent.counter) == (None, 2)
    assert [outcome.result for outcome in report.interrupted] == ["interrupted"]


def test_a_heartbeat_whose_run_was_killed_is_seen_again(watched: Watched) -> None:
    killed(watched, "before-run-entry")
    report = watched.run()

    assert report.intent.freshness is not None
    assert (report.intent.freshness.counter, report.intent.hold) == (2, None)
