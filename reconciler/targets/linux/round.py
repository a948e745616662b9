"""One round of questions, asked in a worker thread so that a hung one costs only itself.

A read from a dead NFS server cannot be interrupted. The round therefore watches the worker from
outside: when one probe takes too long, it is answered with ``timeout``, the thread that hangs in it
is left behind with everything it holds, and a fresh worker goes on with the next probe.
"""

import threading
import time
from collections.abc import Callable, Sequence

from reconciler.model.answer import Answer
from reconciler.model.probe import Probe
from reconciler.targets.linux.session import Session

Answerer = Callable[[Probe, Session], Answer]

_GRACE_S = 0.25


class Round:
    """Questions of one round, and the answers so far.

    Attributes:
        answers: By probe; complete when `ask` returns.
        hanging: Probes that were given up, and the threads that still wait for them.
    """

    def __init__(self, probes: Sequence[Probe], answerer: Answerer, deadline_s: float) -> None:
        """Nothing is asked yet.

        Args:
            probes: In the order in which they are asked; distinct.
            answerer: Answers one; may hang, must not raise.
            deadline_s: Seconds for each.
        """
        self.answers: dict[Probe, Answer] = {}
        self.hanging: dict[Probe, threading.Thread] = {}
        self._probes = probes
        self._answerer = answerer
        self._deadline_s = deadline_s
        self._changed = threading.Condition()
        self._worker: threading.Thread | None = None
        self._at = 0
        self._started = 0.0

    def ask(self, session: Session, fresh: Callable[[], Session]) -> Session:
        """Ask everything.

        Args:
            session: For the first worker.
            fresh: Makes another, when a worker was left behind with the one before.

        Returns:
            The session that nobody hangs in.
        """
        with self._changed:
            while not self._done():
                worker = threading.Thread(target=self._work, args=(session,), daemon=True)
                self._worker = worker
                self._started = time.monotonic()
                worker.start()
                if not self._watch():
                    self._give_up(worker)
                    session = fresh()
            return session

    def _done(self) -> bool:
        return self._at >= len(self._probes)

    def _watch(self) -> bool:
        """Wait until everything is answered; False when the present probe takes too long."""
        # A probe that can keep the deadline by itself says more than this watch can: it goes first.
        patience = self._deadline_s + min(_GRACE_S, self._deadline_s)
        while not self._done():
            left = self._started + patience - time.monotonic()
            if left <= 0:
                return False
            self._changed.wait(left)
        return True

    def _give_up(self, worker: threading.Thread) -> None:
        probe = self._probes[self._at]
        self.hanging[probe] = worker
        milliseconds = int((time.monotonic() - self._started) * 1000)
        self.answers[probe] = Answer("timeout", reason="did not answer in time", ms=milliseconds)
        self._worker = None
        self._at += 1

    def _work(self, session: Session) -> None:
        worker = threading.current_thread()
        while (probe := self._next(worker)) is not None:
            started = time.monotonic()
            session.deadline = started + self._deadline_s
            answer = self._answerer(probe, session)
            milliseconds = int((time.monotonic() - started) * 1000)
            if not self._record(worker, probe, answer, milliseconds):
                session.close()

    def _next(self, worker: threading.Thread) -> Probe | None:
        with self._changed:
            if self._worker is not worker or self._done():
                return None
            self._started = time.monotonic()
            return self._probes[self._at]

    def _record(
        self, worker: threading.Thread, probe: Probe, answer: Answer, milliseconds: int
    ) -> bool:
        """Take an answer, unless the worker was given up meanwhile."""
        with self._changed:
            if self._worker is not worker:
                return False
            self.answers[probe] = Answer(answer.status, answer.data, answer.reason, milliseconds)
            self._at += 1
            if self._done():
                self._changed.notify()
            return True
