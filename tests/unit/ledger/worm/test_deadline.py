"""A call ends in time or is given up, and a given up one does not pile up."""

import threading
import time

import pytest

from reconciler.errors import MachineError
from reconciler.ledger.worm.deadline import Patience


def test_what_a_call_returns_or_raises_comes_back() -> None:
    patience = Patience()

    assert patience.within(5, lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        patience.within(5, lambda: 1 // 0)
    with pytest.raises(TimeoutError, match="its own"):
        patience.within(5, _its_own)


def _its_own() -> None:
    raise TimeoutError("its own")


def test_a_call_that_hangs_is_given_up_and_no_other_is_made_until_it_ends() -> None:
    patience, release = Patience(), threading.Event()
    begun = time.monotonic()

    with pytest.raises(MachineError, match="did not answer within 0 s"):
        patience.within(0.1, release.wait)
    assert time.monotonic() - begun < 5
    threads = threading.active_count()
    for _ in range(3):
        with pytest.raises(MachineError, match="still hangs"):
            patience.within(0.1, lambda: 7)
    assert threading.active_count() == threads

    release.set()
    until = time.monotonic() + 5
    while time.monotonic() < until and threading.active_count() == threads:
        time.sleep(0.01)
    assert patience.within(5, lambda: 7) == 7
