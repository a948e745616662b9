"""Runs that find nothing new, times without a run, signs of life, and the root of the log."""

from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.engine.daemon import Daemon
from reconciler.engine.notify import Notifier
from reconciler.engine.run import reconcile
from reconciler.engine.session import Options
from reconciler.engine.settings import load_settings
from reconciler.engine.stop import Stop
from reconciler.evidence.entry import Entry
from reconciler.evidence.note import open_checkpoint
from tests.support.drill import Drill, break_sysctl

pytestmark = pytest.mark.integration

PROMISE = Options(promise_s=330)


class Impatient(Stop):
    """Waits for nothing."""

    def wait(self, seconds: float) -> bool:
        return False


def entries(drill: Drill) -> list[Entry]:
    return [record.entry for record in drill.records()]


def kinds(drill: Drill) -> list[str]:
    return [f"{e.kind.value}{' slim' * e.slim}" for e in entries(drill)]


def test_a_run_that_finds_the_same_adds_a_commit_and_no_file(drill: Drill) -> None:
    drill.run()
    before = drill.records()[-1]
    drill.run()
    after = drill.records()[-1]

    assert kinds(drill) == ["genesis", "run", "run slim"]
    assert after.path is None
    assert after.entry.base == before.entry.seq
    assert after.entry.body["like"] == before.entry.seq
    assert after.entry.clock.synchronised is True
    assert drill.verify().ok, drill.verify().sentence
    assert drill.verify().branches[0].runs == 2


def test_the_first_run_of_a_day_says_everything_again(drill: Drill) -> None:
    for _ in range(9):
        drill.run(after_s=10_800)

    full = [e for e in entries(drill) if e.kind.value == "run" and not e.slim]
    days = [e.recorded_at[:10] for e in full]
    assert len(days) == len(set(days)) >= 2
    assert len(kinds(drill)) >= 10
    assert drill.verify().ok, drill.verify().sentence


def test_news_is_said_in_full(drill: Drill) -> None:
    drill.run()
    break_sysctl(drill.machine)
    drill.run()
    drill.run()
    drill.run()

    assert kinds(drill) == ["genesis", "run", "intent", "outcome", "run", "run", "run slim"], (
        "the run after a healing differs from it, for nothing was done"
    )
    assert drill.verify().ok, drill.verify().sentence


def test_a_reboot_is_said_in_full(drill: Drill) -> None:
    drill.run()
    drill.boot = drill.boot.replace("1", "2")
    drill.clock.up = 30.0
    drill.run()

    assert kinds(drill) == ["genesis", "run", "run"]


def test_a_gap_is_declared_before_anything_else(drill: Drill) -> None:
    with drill.open() as appliance:
        reconcile(appliance, PROMISE)
        drill.clock.pass_time(330.0)
        reconcile(appliance, PROMISE)
        drill.clock.pass_time(86_400.0)
        reconcile(appliance, PROMISE)
    assert kinds(drill) == ["genesis", "run", "run slim", "gap", "run", "checkpoint slim"]

    before, gap = entries(drill)[2:4]
    assert gap.body["from"] == before.recorded_at
    assert gap.body["promise_s"] == 330
    assert gap.body["rebooted"] is False
    report = drill.verify().branches[0]
    assert report.ok, report.sentence
    (found,) = report.gaps
    assert (found.seq, found.declared, found.promise_s) == (3, True, 330)
    assert 86_000_000 < found.end - found.begin < 87_000_000


def test_a_run_that_promises_nothing_has_no_gaps(drill: Drill) -> None:
    drill.run()
    drill.run(after_s=864_000)

    report = drill.verify().branches[0]
    assert (report.ok, report.gaps, report.promised) == (True, (), 0)


def test_a_silent_gap_is_found(drill: Drill, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reconciler.engine.run.record_gap", lambda _session: None)
    with drill.open() as appliance:
        reconcile(appliance, PROMISE)
        drill.clock.pass_time(2 * 330 + 120.0)
        reconcile(appliance, PROMISE)

    faults = drill.verify().faults
    assert [fault.code.value for fault in faults] == ["gap"]
    assert "promised: 330 s" in faults[0].message


def test_a_daemon_that_cannot_look_shows_that_it_lives(drill: Drill) -> None:
    pinned = drill.site.directory / "trust/allowed_signers"
    said: list[object] = []

    def hide(report: object) -> None:
        said.append(report)
        pinned.rename(pinned.with_name("hidden"))

    settings = load_settings(Path(drill.site.settings))
    daemon = Daemon(
        settings,
        Notifier(None),
        hide,
        said.append,
        opening=lambda _home: drill.open(),
        stop=Impatient(),
    )
    daemon.serve(3)

    assert kinds(drill) == ["genesis", "run", "heartbeat slim", "heartbeat slim"]
    assert {e.body["reason"] for e in entries(drill)[2:]} == {"policy-invalid"}
    assert drill.verify().ok, drill.verify().sentence


def test_the_root_of_the_log_is_signed_once_an_hour(drill: Drill) -> None:
    for _ in range(30):
        drill.run()

    records = drill.records()
    checkpoints = [r for r in records if r.entry.kind.value == "checkpoint"]
    assert len(checkpoints) == 2
    times = [r.entry.time for r in checkpoints]
    assert times[1] - times[0] >= timedelta(hours=1)
    for record in checkpoints:
        note = open_checkpoint(
            record.entry.body["note"], "reconciler/example-clinic/workstation", record.public
        )
        assert note.size == record.entry.seq
    assert drill.verify().ok, drill.verify().sentence
