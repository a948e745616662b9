"""What wakes the loop, and what does not."""

import os
import select
import sys
from pathlib import Path
from subprocess import Popen

import pytest

from reconciler.engine.watching import Threshold, Wanted, Watching, wanted
from reconciler.model.event import Sighting
from reconciler.model.expectation import Expectation
from reconciler.targets.watch import reader
from reconciler.targets.watch.pressure import PressureWatch
from tests.support.desired_states import make_desired, make_rule


def evt(event: str, unit: str = "any"):
    params = {"event": event, "unit": unit, "window_s": 3600}
    return make_rule(f"{event}-{unit}"[:60], check="LNX-EVT-001", params=params)


def psi(check: str, **expect: int):
    limits = {name: Expectation("at_most", value) for name, value in expect.items()}
    return make_rule(check.lower(), check=check, expect=limits)


def test_what_is_watched_is_what_rules_ask():
    desired = make_desired(
        [
            evt("unit-failed", "portal.service"),
            evt("out-of-memory"),
            psi("LNX-PSI-001", some_avg300_percent=80),
            psi("LNX-PSI-003", full_avg300_percent=60),
            make_rule(),
        ]
    )

    asked = wanted(desired)

    assert asked.pressure == {Threshold("cpu", "some", 80), Threshold("io", "full", 60)}
    assert asked.asks_for(Sighting(1, "unit-failed", "portal.service"))
    assert asked.asks_for(Sighting(1, "out-of-memory", "whatever.service"))
    assert not asked.asks_for(Sighting(1, "unit-failed", "other.service"))
    assert not asked.asks_for(Sighting(1, "core-dump", "portal.service"))


def test_nothing_is_watched_without_such_a_rule():
    assert wanted(make_desired()) == Wanted()
    watching = Watching()
    assert watching.follow(make_desired()) == ()
    assert (watching.files(), watching.woken()) == ((), False)


def test_without_the_library_it_is_said_once_and_nothing_breaks(monkeypatch):
    def missing(directory=None):
        raise reader.JournalMissing("cysystemd is not installed (reconciler[journal])")

    monkeypatch.setattr("reconciler.targets.watch.journal.open_reader", missing)
    watching, desired = Watching(), make_desired([evt("unit-failed")])

    said = watching.follow(desired)

    assert said == ("the journal is not watched: cysystemd is not installed (reconciler[journal])",)
    assert watching.follow(desired) == ()
    assert watching.files() == ()


def test_a_kernel_that_counts_no_pressure_is_said_once(monkeypatch, tmp_path: Path):
    watch = lambda *given: PressureWatch(*given, tmp_path)  # noqa: E731 - as the class is called
    monkeypatch.setattr("reconciler.engine.watching.PressureWatch", watch)
    watching, desired = Watching(), make_desired([psi("LNX-PSI-002", full_avg60_percent=10)])

    assert watching.follow(desired) == (
        "pressure on memory is not watched: No such file or directory",
    )
    assert watching.follow(desired) == ()


def test_the_kernel_takes_the_trigger_and_tells_of_pressure():
    """The real file: every processor is kept busy by more tasks than there are."""
    if not os.access("/proc/pressure/cpu", os.W_OK):
        pytest.skip("this kernel does not let this process watch pressure")
    watching = Watching()
    assert watching.follow(make_desired([psi("LNX-PSI-001", some_avg300_percent=1)])) == ()
    ((number, events),) = watching.files()
    assert events == select.POLLPRI
    busy = "import time\nend = time.monotonic() + 40\nwhile time.monotonic() < end: pass"
    children = [Popen([sys.executable, "-c", busy]) for _ in range(2 * (os.cpu_count() or 1))]
    try:
        poll = select.poll()
        poll.register(number, events)
        ready = poll.poll(30_000)
    finally:
        for child in children:
            child.kill()
            child.wait()
    assert ready
    watching.woke([number])
    assert watching.woken()
    watching.rest()
    assert not watching.woken()
    watching.close()
    assert watching.files() == ()


def test_another_desired_state_is_followed(monkeypatch):
    watching = Watching()
    watching.follow(make_desired([psi("LNX-PSI-001", some_avg300_percent=50)]))
    before = watching.files()
    watching.follow(make_desired())
    assert (len(before), watching.files()) == (1, ())
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(before[0][0])


class Broken:
    """A journal that can be opened and then fails, as the library fails."""

    def fileno(self) -> int:
        return 0

    def take(self) -> list[Sighting]:
        raise SystemError("Input/output error", "EIO")


def test_a_journal_that_fails_begins_a_run_and_is_opened_anew(monkeypatch):
    opened: list[tuple[str, ...]] = []

    def open_watch(kinds):
        opened.append(kinds)
        return Broken()

    monkeypatch.setattr("reconciler.engine.watching.JournalWatch.open_watch", open_watch)
    watching, desired = Watching(), make_desired([evt("unit-failed")])
    assert watching.follow(desired) == ()

    watching.woke([0])

    assert (watching.woken(), watching.files()) == (True, ())
    watching.rest()
    assert watching.follow(desired) == ()
    assert opened == [("unit-failed",), ("unit-failed",)]


def test_a_journal_that_cannot_be_opened_is_said(monkeypatch):
    def open_watch(kinds):
        raise SystemError("Too many open files", "EMFILE")

    monkeypatch.setattr("reconciler.engine.watching.JournalWatch.open_watch", open_watch)
    said = Watching().follow(make_desired([evt("unit-failed")]))
    assert said == ("the journal is not watched: it cannot be opened",)
