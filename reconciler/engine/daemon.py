"""The loop: run, wait with jitter, run; SIGTERM lets the run in hand end and be recorded."""

import random
import signal
import threading
from collections.abc import Callable
from types import FrameType

from reconciler.engine.appliance import open_appliance
from reconciler.engine.notify import Notifier
from reconciler.engine.run import reconcile
from reconciler.engine.session import Options
from reconciler.engine.settings import Home
from reconciler.errors import (
    InputError,
    IntentRefused,
    LedgerDamaged,
    LedgerMissing,
    MachineError,
    ReconcilerError,
)
from reconciler.model.run import RunReport

BEAT_S = 10.0
"""Longest silence towards the watchdog while waiting; set WatchdogSec well above it."""


class Daemon:
    """Runs until it is told to stop.

    Args:
        home: Settings.
        notifier: Where readiness and the watchdog go.
        on_run: Called with every report.
        on_error: Called with every error that a later run may not have.
    """

    def __init__(
        self,
        home: Home,
        notifier: Notifier,
        on_run: Callable[[RunReport], None],
        on_error: Callable[[ReconcilerError], None],
    ) -> None:
        self._home = home
        self._notifier = notifier
        self._on_run = on_run
        self._on_error = on_error
        self._stop = threading.Event()

    def stop(self, _signal: int = 0, _frame: FrameType | None = None) -> None:
        """Finish the action in hand, record the run, end."""
        self._stop.set()

    def serve(self, runs: int | None = None) -> None:
        """Loop.

        Args:
            runs: End after so many runs; for tests.

        Raises:
            LedgerMissing: Memory is lost: a person must decide.
            LedgerDamaged: Evidence was changed: a person must decide.
            KeyMissing: There is no signing key.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.stop)
        options = Options(hook=lambda _where: self._notifier.alive(), stopping=self._stop.is_set)
        with open_appliance(self._home) as appliance:
            self._notifier.ready()
            done = 0
            while not self._stop.is_set() and done != runs:
                try:
                    report = reconcile(appliance, options)
                except (LedgerMissing, LedgerDamaged):
                    raise
                except (InputError, IntentRefused, MachineError) as error:
                    # Level-triggered: whatever was wrong may be right at the next tick.
                    self._on_error(error)
                else:
                    self._on_run(report)
                done += 1
                if done != runs:
                    self._wait()
        self._notifier.stopping()

    def _wait(self) -> None:
        settings = self._home.settings
        # Jitter spreads a fleet's pulls; nothing secret depends on it.
        left = settings.interval_s + random.uniform(0, settings.jitter_s)  # noqa: S311
        while left > 0 and not self._stop.wait(min(left, BEAT_S)):
            left -= BEAT_S
            self._notifier.alive()
