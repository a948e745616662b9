"""The loop: run, wait with jitter, run; SIGTERM lets the run in hand end and be recorded."""

import random
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack

from reconciler.engine.append import seal_waiting
from reconciler.engine.appliance import Appliance, open_appliance
from reconciler.engine.heart import BEAT_S, Heart, PacedTarget
from reconciler.engine.heartbeat import beat
from reconciler.engine.notify import Notifier
from reconciler.engine.run import reconcile
from reconciler.engine.session import Options
from reconciler.engine.settings import Home
from reconciler.engine.stop import Stop
from reconciler.engine.upkeep.checkpoints import gather_facts
from reconciler.engine.watching import DRAIN_S, SOONEST_S, Watching
from reconciler.errors import (
    ClockWrong,
    EvidenceError,
    InputError,
    IntentRefused,
    MachineError,
    ReconcilerError,
    Restarting,
)
from reconciler.model.answer import Answer
from reconciler.model.run import IntentStatus, RunReport
from reconciler.ports import Target
from reconciler.report.intent import summary

Opening = Callable[[Home], AbstractContextManager[Appliance]]


def spread(most: float) -> float:
    """A random part of so many seconds: a fleet does not pull in step."""
    return random.uniform(0, most)  # noqa: S311 - nothing secret depends on it


class Daemon:
    """Runs until it is told to stop.

    Args:
        home: Settings.
        notifier: Where readiness and the watchdog go.
        on_run: Called with every report.
        on_error: Called with every error that a later run may not have.
        opening: Opens the appliance; for tests.
        stop: The request to end; for tests.
        jitter: Seconds to add to an interval, given the most; for tests.
    """

    def __init__(
        self,
        home: Home,
        notifier: Notifier,
        on_run: Callable[[RunReport], None],
        on_error: Callable[[ReconcilerError], None],
        *,
        opening: Opening = open_appliance,
        stop: Stop | None = None,
        jitter: Callable[[float], float] = spread,
    ) -> None:
        self._home = home
        self._notifier = notifier
        self._on_run = on_run
        self._on_error = on_error
        self._opening = opening
        self._jitter = jitter
        self._stop = stop or Stop()
        self._said = ""
        self._watching = Watching()

    def stop(self) -> None:
        """Finish the action in hand, record the run, end; may be called by a signal handler."""
        self._stop.ask()

    def serve(self, runs: int | None = None) -> None:
        """Loop; once.

        Args:
            runs: End after so many runs; for tests.

        Raises:
            LedgerMissing: Memory is lost: a person must decide.
            LedgerDamaged: Evidence was changed: a person must decide.
            KeyMissing: There is no signing key.
            EvidenceError: Somebody else writes to this ledger.
        """
        with ExitStack() as undo:
            undo.callback(self._stop.close)
            undo.callback(self._watching.close)
            undo.enter_context(self._stop.on_signals())
            appliance = undo.enter_context(self._opening(self._home))
            heart = undo.enter_context(Heart(self._notifier, appliance.clock))
            appliance.make_target = _paced(appliance, heart)
            self._notifier.ready()
            self._loop(appliance, heart, runs)
            self._notifier.stopping()

    def _loop(self, appliance: Appliance, heart: Heart, runs: int | None) -> None:
        settings = self._home.settings
        options = Options(
            hook=heart.progress,
            stopping=self._stop.asked,
            promise_s=settings.interval_s + settings.jitter_s,
            seal_s=settings.evidence.seal_s,
            allowing=heart.allowing,
        )
        done = 0
        while not self._stop.asked() and done != runs:
            # The run begins with a fetch, which has a limit of its own.
            with heart.allowing(2 * self._home.settings.fleet.timeout_s):
                self._run_once(appliance, options)
            done += 1
            if done != runs:
                self._wait(appliance, heart)
        self._seal(appliance)

    def _run_once(self, appliance: Appliance, options: Options) -> None:
        before = appliance.ledger.tip.seq
        try:
            report = reconcile(appliance, options)
        except Restarting as end:
            self._stop.ask()
            self._on_error(end)
        except (ClockWrong, InputError, IntentRefused, MachineError) as error:
            if appliance.ledger.tip.seq == before:
                self._beat(appliance, error)
            # Level-triggered: whatever was wrong may be right at the next tick.
            self._on_error(error)
        else:
            self._on_run(report)
            self._alert(report.intent)
            for problem in report.problems:
                self._on_error(MachineError(str(problem), hint=problem.hint))

    def _alert(self, intent: IntentStatus) -> None:
        """Tell the manager and the log what is refused or held, when that changes."""
        said = summary(intent)
        if said == self._said:
            return
        self._said = said
        self._notifier.alive(status=said or "the newest desired state is in force")
        for hold in intent.holds:
            self._on_error(IntentRefused(hold.message, hint=hold.hint, reason=hold.reason))

    def _beat(self, appliance: Appliance, why: ReconcilerError) -> None:
        try:
            beat(appliance, why)
        except (EvidenceError, MachineError) as error:
            self._on_error(error)

    def _seal(self, appliance: Appliance) -> None:
        """Leave nothing that waits; what cannot be sealed now is sealed at the next start."""
        if appliance.queue.waiting is None:
            return
        try:
            seal_waiting(appliance, gather_facts(appliance), lambda _where: None)
        except (EvidenceError, MachineError) as error:
            self._on_error(error)

    def _wait(self, appliance: Appliance, heart: Heart) -> None:
        """Until the interval is over, the end is asked for, or something woke the loop."""
        for problem in self._watching.follow(appliance.resolved):
            hint = "It is still looked at in every run."
            self._on_error(MachineError(problem, hint=hint))
        settings, waited = self._home.settings, 0.0
        whole = settings.interval_s + self._jitter(settings.jitter_s)
        while not self._stop.asked():
            until = min(whole, SOONEST_S) if self._watching.woken() else whole
            if waited >= until:
                break
            waited += self._listen(appliance, min(until - waited, BEAT_S))
            heart.progress()
        self._watching.rest()

    def _listen(self, appliance: Appliance, seconds: float) -> float:
        """Wait so long, or until something tells; answers for how long it was."""
        files = () if self._watching.woken() else self._watching.files()
        if not files:
            self._stop.wait(seconds)
            return seconds
        begun = appliance.clock.monotonic()
        if ready := self._stop.wait_for(seconds, files):
            self._watching.woke(ready)
            # Everything that writes a line ends the wait; it must not be able to keep us busy.
            self._stop.wait(min(seconds, DRAIN_S))
        return appliance.clock.monotonic() - begun


def _paced(appliance: Appliance, heart: Heart) -> Callable[[str, Callable[[str], Answer]], Target]:
    make = appliance.make_target
    return lambda root, internal: PacedTarget(make(root, internal), heart)
