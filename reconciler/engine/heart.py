"""The watchdog is fed for as long as the work in hand is within its own time limit.

A fetch may wait for two minutes and a backup for hours; both have limits of their own, and a
service manager that killed them at WatchdogSec would keep an appliance without network from ever
running. What takes longer than its limit is stuck: then nothing is fed, and the manager decides.
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from reconciler.engine.notify import Notifier
from reconciler.model.answer import Answer
from reconciler.model.operation import Operation, OperationResult, seconds_for
from reconciler.model.probe import Probe
from reconciler.ports import Clock, Target

BEAT_S = 10.0
"""Longest silence towards the watchdog; set WatchdogSec to at least three times this."""
STEP_S = 60.0
"""What may pass between two signs of progress where no limit of its own is known."""


class Heart:
    """Beats from a thread of its own while the main thread makes progress.

    Args:
        notifier: Where beats go.
        clock: Its monotonic time is used.
    """

    def __init__(self, notifier: Notifier, clock: Clock) -> None:
        self._notifier = notifier
        self._clock = clock
        self._until = clock.monotonic() + STEP_S
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heart", daemon=True)

    def progress(self, _where: str = "") -> None:
        """Something was finished: feed the watchdog, and allow the next step its time."""
        self._until = self._clock.monotonic() + STEP_S
        self._notifier.alive()

    @contextmanager
    def allowing(self, seconds: float) -> Iterator[None]:
        """Something begins that has so many seconds by its own limit, within what it is part of."""
        around = self._until
        self._until = max(around, self._clock.monotonic() + seconds + STEP_S)
        try:
            yield
        finally:
            self.progress()
            self._until = max(around, self._until)

    def beat(self) -> bool:
        """Feed the watchdog if the work in hand is within its limit; answers whether it is."""
        within = self._clock.monotonic() < self._until
        if within:
            self._notifier.alive()
        return within

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(BEAT_S):
            self.beat()


class PacedTarget:
    """A target whose questions and operations are allowed their own time limits."""

    def __init__(self, target: Target, heart: Heart) -> None:
        self._target = target
        self._heart = heart

    def ask(self, probes: Sequence[Probe], deadline_s: float) -> Mapping[Probe, Answer]:
        """See `reconciler.ports.Target.ask`; each probe may take its deadline, one by one."""
        with self._heart.allowing(deadline_s * len(probes)):
            return self._target.ask(probes, deadline_s)

    def carry_out(self, operation: Operation) -> OperationResult:
        """See `reconciler.ports.Target.carry_out`."""
        with self._heart.allowing(float(seconds_for(operation))):
            return self._target.carry_out(operation)
