"""A whole call to a store, with all its repetitions, ends in time or is given up.

Time limits of sockets are for each byte: a server that sends one byte now and then never exceeds
them. So a call is made on a thread of its own. One that was given up cannot be ended from outside;
it dies with the process, and until it ends no other call is made, so there is at most one.
"""

from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

from reconciler.errors import MachineError

_T = TypeVar("_T")
_HINT = "See the network and the store; copying goes on at the next attempt, nothing is lost."


class Patience:
    """Makes calls one after the other, each within its time."""

    def __init__(self) -> None:
        """Nothing has been given up yet."""
        self._given_up: Future[None] | None = None

    def within(self, seconds: float, call: Callable[[], _T]) -> _T:
        """What a call returns or raises, if it does within some seconds.

        Args:
            seconds: How long to wait.
            call: Sends a request; it may hang.

        Raises:
            MachineError: It did not end in time, or the one that was given up hangs still.
        """
        if self._given_up is not None and not self._given_up.done():
            raise MachineError("the last request to the store still hangs", hint=_HINT)
        results: list[_T] = []
        done: Future[None] = Future()
        Thread(target=_run, args=(done, call, results), name="worm", daemon=True).start()
        try:
            error = done.exception(seconds)
        except TimeoutError as late:
            self._given_up = done
            message = f"the store did not answer within {seconds:.0f} s"
            raise MachineError(message, hint=_HINT) from late
        if error is not None:
            raise error
        return results[0]


def _run(done: Future[None], call: Callable[[], _T], results: list[_T]) -> None:
    try:
        results.append(call())
    except Exception as error:  # noqa: BLE001 - it is raised again where the result is taken
        done.set_exception(error)
    else:
        done.set_result(None)
