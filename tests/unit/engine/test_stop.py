import os
import signal
import threading
import time

from reconciler.engine.stop import Stop


def test_a_signal_ends_a_wait_at_once() -> None:
    stop = Stop()
    timer = threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGTERM))
    with stop.on_signals():
        timer.start()
        began = time.monotonic()
        assert stop.wait(30)
        assert time.monotonic() - began < 10
    timer.join()
    assert stop.asked()
    stop.close()


def test_a_request_before_the_wait_is_not_lost() -> None:
    stop = Stop()
    stop.ask()
    began = time.monotonic()

    assert stop.wait(30)

    assert time.monotonic() - began < 10
    stop.close()


def test_a_wait_that_nobody_ends_is_over_when_its_time_is() -> None:
    stop = Stop()

    assert not stop.wait(0.01)
    assert not stop.asked()
    stop.close()


def test_asking_more_often_than_a_pipe_holds_does_not_hang() -> None:
    stop = Stop()
    for _ in range(70_000):
        stop.ask()

    assert stop.wait(1)
    stop.close()


def test_handlers_are_put_back() -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    stop = Stop()
    with stop.on_signals():
        assert signal.getsignal(signal.SIGTERM) == stop.ask

    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before
    stop.close()
