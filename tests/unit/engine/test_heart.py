from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from reconciler.engine import heart as hearts
from reconciler.engine.heart import STEP_S, Heart, PacedTarget
from reconciler.engine.notify import Notifier
from reconciler.model.answer import Answer
from reconciler.model.operation import USUAL_S, DaemonReload, Operation, OperationResult, UnitJob
from reconciler.model.probe import Probe, ReadFile
from reconciler.testing.fake_clock import FakeClock
from tests.support.notify_socket import NotifySocket


class Slow:
    """A target that asks, in the middle of everything, whether the heart would still beat."""

    def __init__(self, clock: FakeClock, seconds: float) -> None:
        self.clock = clock
        self.seconds = seconds
        self.heart: Heart
        self.alive: list[bool] = []

    def _take(self) -> None:
        self.clock.advance(self.seconds)
        self.alive.append(self.heart.beat())

    def ask(self, probes: Sequence[Probe], deadline_s: float) -> Mapping[Probe, Answer]:
        self._take()
        return {}

    def carry_out(self, operation: Operation) -> OperationResult:
        self._take()
        return OperationResult(ok=True, reason="", ms=1)


def paced(seconds: float) -> tuple[Slow, PacedTarget]:
    clock = FakeClock()
    slow = Slow(clock, seconds)
    slow.heart = Heart(Notifier(None), clock)
    return slow, PacedTarget(slow, slow.heart)


def test_it_beats_while_there_is_progress_and_not_when_work_is_stuck() -> None:
    clock = FakeClock()
    heart = Heart(Notifier(None), clock)
    clock.advance(STEP_S - 1)
    assert heart.beat()
    clock.advance(2)
    assert not heart.beat()
    heart.progress("before-step:x")
    assert heart.beat()


@pytest.mark.parametrize(
    ("operation", "seconds", "alive"),
    [
        (UnitJob("restart", "a.service", 3600), 3600, True),
        (UnitJob("restart", "a.service", 3600), 3600 + STEP_S + 1, False),
        (DaemonReload(), USUAL_S, True),
        (DaemonReload(), USUAL_S + STEP_S + 1, False),
    ],
)
def test_an_operation_has_its_own_limit(operation: Operation, seconds: float, alive: bool) -> None:
    slow, target = paced(seconds)

    target.carry_out(operation)

    assert slow.alive == [alive]


def test_a_look_has_the_deadline_of_every_probe() -> None:
    slow, target = paced(3 * 20)

    target.ask([ReadFile(f"/{n}") for n in range(3)], 20.0)

    assert slow.alive == [True]


def test_a_small_part_does_not_take_time_away_from_what_it_is_part_of() -> None:
    slow, target = paced(1)
    with slow.heart.allowing(240):
        target.ask([ReadFile("/x")], 20.0)
        slow.clock.advance(240)
        assert slow.heart.beat(), "the fetch that follows still has its time"


def test_after_long_work_the_usual_limit_counts_again() -> None:
    slow, target = paced(1)
    target.carry_out(UnitJob("restart", "a.service", 3600))
    slow.clock.advance(STEP_S + 1)

    assert not slow.heart.beat()


def test_its_thread_feeds_a_real_socket_while_the_main_thread_is_busy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hearts, "BEAT_S", 0.01)
    with NotifySocket(tmp_path) as manager:
        with Heart(Notifier(manager.address), FakeClock()):
            for _ in range(1000):
                if len(manager.heard) >= 3:
                    break
                manager._thread.join(0.01)
        ended = len(manager.heard)
    assert ended >= 3
    assert set(manager.heard) == {"WATCHDOG=1"}
