"""The loop: what it survives, what ends it, and what the service manager hears."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path

import pygit2
import pytest

from reconciler import RunReport, load_settings, open_appliance
from reconciler.cli import execute as cli
from reconciler.engine import daemon
from reconciler.engine.appliance import Appliance
from reconciler.engine.daemon import Daemon, spread
from reconciler.engine.heart import BEAT_S
from reconciler.engine.notify import Notifier
from reconciler.engine.settings import Home
from reconciler.engine.stop import Stop
from reconciler.errors import (
    EvidenceError,
    ExitCode,
    KeyMissing,
    LedgerMissing,
    ReconcilerError,
    Restarting,
)
from tests.support.appliances import SettableClock
from tests.support.drill import Drill, break_secret, break_sysctl, new_drill
from tests.support.notify_socket import NotifySocket
from tests.support.watched import HOUR, LIMIT_H, new_watched


@pytest.fixture
def drill(tmp_path: Path) -> Drill:
    return new_drill(tmp_path / "var")


class Waits(Stop):
    """A request to end whose waits pass on a test's clock."""

    def __init__(self, clock: SettableClock) -> None:
        super().__init__()
        self._clock = clock
        self.waited: list[float] = []

    def wait(self, seconds: float) -> bool:
        self.waited.append(seconds)
        self._clock.pass_time(seconds)
        return self.asked()


class Room:
    """A daemon over a drill, and everything it said.

    Attributes:
        between: Called one by one, after each run.
    """

    def __init__(self, drill: Drill, *between: Callable[[], object]) -> None:
        self.drill = drill
        self.said: list[RunReport | ReconcilerError] = []
        self.stop = Waits(drill.clock)
        self._between: Iterator[Callable[[], object]] = iter(between)

    def serve(self, runs: int, notifier: Notifier | None = None, jitter_s: float = 7.0) -> None:
        Daemon(
            load_settings(Path(self.drill.site.settings)),
            notifier or Notifier(None),
            self._hear,
            self._hear,
            opening=self._open,
            stop=self.stop,
            jitter=lambda most: min(jitter_s, most),
        ).serve(runs)

    def _open(self, home: Home) -> AbstractContextManager[Appliance]:
        return open_appliance(home, clock=self.drill.clock, make_target=self.drill.target)

    def _hear(self, what: RunReport | ReconcilerError) -> None:
        self.said.append(what)
        next(self._between, lambda: None)()

    def names(self) -> list[str]:
        return [type(what).__name__ for what in self.said]


def test_the_manager_hears_ready_then_beats_then_the_end(drill: Drill, tmp_path: Path) -> None:
    break_sysctl(drill.machine)
    room = Room(drill)
    with NotifySocket(tmp_path) as manager:
        room.serve(2, Notifier(manager.address))

    assert manager.heard[0] == "READY=1"
    assert manager.heard[-1] == "STOPPING=1"
    beats = manager.heard[1:-1]
    assert set(beats) == {"WATCHDOG=1"}
    assert len(beats) > len(room.stop.waited) + 10, "between steps and while waiting"
    assert room.names() == ["RunReport", "RunReport"]


def test_ready_is_said_before_the_first_run_and_only_when_all_is_there(
    drill: Drill, tmp_path: Path
) -> None:
    (drill.site.directory / "keys/appliance").unlink()
    with NotifySocket(tmp_path) as manager, pytest.raises(KeyMissing):
        Room(drill).serve(1, Notifier(manager.address))

    assert manager.heard == []


def test_an_interval_is_waited_in_beats_with_its_jitter(drill: Drill) -> None:
    room = Room(drill)
    room.serve(2, jitter_s=7.0)

    assert sum(room.stop.waited) == 307
    assert max(room.stop.waited) <= BEAT_S


def test_jitter_stays_within_its_bound_and_differs() -> None:
    drawn = {spread(30) for _ in range(200)}

    assert len(drawn) > 100
    assert all(0 <= seconds <= 30 for seconds in drawn)
    assert spread(0) == 0


def test_it_survives_what_a_later_tick_may_not_have(drill: Drill) -> None:
    pinned = drill.site.directory / "trust/allowed_signers"
    hidden = pinned.with_name("hidden")

    def clock_back() -> None:
        hidden.rename(pinned)
        drill.clock.at -= timedelta(days=1)

    def clock_right() -> None:
        drill.clock.at += timedelta(days=1)
        break_sysctl(drill.machine)

    room = Room(drill, lambda: pinned.rename(hidden), clock_back, clock_right)
    room.serve(4)

    assert room.names() == ["RunReport", "InputError", "ClockWrong", "RunReport"]
    last = room.said[-1]
    assert isinstance(last, RunReport)
    assert [outcome.result for outcome in last.outcomes] == ["healed"]
    assert drill.kinds() == ["genesis", "run", "heartbeat", "intent", "outcome", "run"]


def test_it_survives_a_first_state_that_is_refused_or_cannot_be_reached(drill: Drill) -> None:
    fleet = drill.site.made.fleet
    away = fleet.with_name("away")
    good = pygit2.Repository(str(fleet)).head.target

    def unsigned() -> None:
        away.rename(fleet)
        repository = pygit2.Repository(str(fleet))
        me = pygit2.Signature("x", "x@example.org", int(drill.clock.at.timestamp()))
        tree = repository[good].tree_id  # type: ignore[union-attr]
        repository.create_commit("refs/heads/main", me, me, "unsigned", tree, [good])

    def mend() -> None:
        pygit2.Repository(str(fleet)).references["refs/heads/main"].set_target(good)

    fleet.rename(away)
    room = Room(drill, unsigned, mend)
    room.serve(3)

    assert room.names() == ["MachineError", "IntentRefused", "RunReport"]
    assert drill.kinds() == ["genesis", "refusal", "refusal", "run"]


def test_a_restart_that_an_action_asked_for_ends_it(
    drill: Drill, monkeypatch: pytest.MonkeyPatch
) -> None:
    def restarts(*_given: object) -> RunReport:
        raise Restarting("the machine restarts now", hint="Wait for it.")

    monkeypatch.setattr(daemon, "reconcile", restarts)
    room = Room(drill)
    room.serve(9)

    assert room.names() == ["Restarting"]
    assert room.stop.waited == []


def test_a_ledger_that_somebody_else_moved_ends_it(drill: Drill) -> None:
    repository = pygit2.Repository(drill.site.evidence)
    room = Room(
        drill, lambda: repository.references.delete("refs/heads/example-clinic/workstation")
    )

    with pytest.raises(EvidenceError) as ended:
        room.serve(3)

    assert ended.value.exit_code is ExitCode.EVIDENCE
    assert room.names() == ["RunReport"]


def test_a_lost_ledger_is_not_begun_anew(drill: Drill) -> None:
    Path(drill.site.evidence).rename(drill.site.directory / "gone")

    with pytest.raises(LedgerMissing):
        Room(drill).serve(1)


@pytest.mark.parametrize("lost", ["keys/appliance", "evidence"])
def test_the_command_line_ends_with_the_code_of_evidence(
    drill: Drill, lost: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (drill.site.directory / lost).rename(drill.site.directory / "gone")

    assert cli(["run", "--config", drill.site.settings]) == ExitCode.EVIDENCE
    assert "hint:" in capsys.readouterr().err


def test_a_stop_between_two_actions_leaves_the_second_for_later(drill: Drill) -> None:
    break_sysctl(drill.machine)
    break_secret(drill.machine)
    room = Room(drill)
    carry_out = drill.carried

    class Ends(list):  # type: ignore[type-arg]
        def append(self, operation: object) -> None:
            carry_out.append(operation)  # type: ignore[arg-type]
            room.stop.ask()

    drill.carried = Ends()
    room.serve(5)

    (report,) = room.said
    assert isinstance(report, RunReport)
    assert [outcome.result for outcome in report.outcomes] == ["healed"]
    assert [left.verdict.guard for left in report.not_done] == ["stop"]
    assert drill.kinds() == ["genesis", "intent", "outcome", "run"]


def test_a_signal_while_waiting_ends_it_at_once(drill: Drill) -> None:
    def kill_soon(_report: RunReport) -> None:
        timer.start()

    timer = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGTERM))
    before = signal.getsignal(signal.SIGTERM)
    home = load_settings(Path(drill.site.settings))
    daemon = Daemon(
        home,
        Notifier(None),
        kill_soon,
        pytest.fail,
        opening=lambda h: open_appliance(h, clock=drill.clock, make_target=drill.target),
    )
    began = time.monotonic()

    daemon.serve()

    timer.join()
    assert time.monotonic() - began < 60, "the interval is 300 s"
    assert drill.kinds() == ["genesis", "run"]
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_hold_is_told_once_when_it_begins_and_to_the_manager_when_it_ends(
    tmp_path: Path,
) -> None:
    watched = new_watched(tmp_path / "var")
    watched.beat()

    def freeze() -> None:
        watched.pass_time(LIMIT_H * HOUR)

    def thaw() -> None:
        watched.pass_time(60)
        watched.beat()

    # What is heard: run, run that is held, its alert, run, run.
    room = Room(watched.drill, freeze, lambda: None, lambda: None, thaw)
    with NotifySocket(tmp_path) as manager:
        room.serve(4, Notifier(manager.address))

    assert room.names() == ["RunReport", "RunReport", "IntentRefused", "RunReport", "RunReport"]
    holds = [what.intent.hold for what in room.said if isinstance(what, RunReport)]
    assert holds == [None, "stale", "stale", None]
    statuses = [said.split("STATUS=")[1] for said in manager.heard if "STATUS=" in said]
    assert statuses == ["held: stale", "the newest desired state is in force"]
    assert watched.refusals() == ["stale"]


def test_ticks_leave_no_descriptors_and_no_threads_behind(drill: Drill) -> None:
    counts: list[tuple[int, int]] = []

    def count() -> None:
        counts.append((len(list(Path("/proc/self/fd").iterdir())), threading.active_count()))

    Room(drill, *[count] * 6).serve(6)

    # Fewer is no leak: what an earlier test left may be collected meanwhile.
    assert counts[-1][0] <= counts[1][0]
    assert counts[-1][1] <= counts[1][1]
