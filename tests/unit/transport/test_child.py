import os
import threading
import time

import pytest

from reconciler.transport.child import ChildDied, ChildLate, run_apart
from reconciler.transport.limits import MIB


def shout(request):
    return request.upper()


def sleep(request):
    time.sleep(60)
    return request


def grow(request):
    return bytes(len(bytearray(512 * MIB)) // MIB)


def fail(request):
    os._exit(3)


def own_id(request):
    return str(os.getpid()).encode()


def test_reply_comes_from_another_process():
    assert run_apart(shout, b"abc", seconds=10, memory_bytes=64 * MIB) == b"ABC"
    reply = run_apart(own_id, b"", seconds=10, memory_bytes=64 * MIB)
    assert int(reply) != os.getpid()


def test_late_child_is_killed():
    begin = time.monotonic()
    with pytest.raises(ChildLate):
        run_apart(sleep, b"", seconds=0.1, memory_bytes=64 * MIB)
    assert time.monotonic() - begin < 2


def test_child_that_dies_is_noticed_at_once():
    with pytest.raises(ChildDied):
        run_apart(fail, b"", seconds=10, memory_bytes=64 * MIB)


def test_child_that_grows_over_its_bound_dies(capfd):
    with pytest.raises(ChildDied):
        run_apart(grow, b"", seconds=10, memory_bytes=64 * MIB)
    assert "MemoryError" in capfd.readouterr().err


def test_child_of_a_process_with_threads():
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()
    try:
        assert run_apart(shout, b"abc", seconds=20, memory_bytes=256 * MIB) == b"ABC"
    finally:
        stop.set()
        thread.join()


def test_no_child_is_left():
    child = int(run_apart(own_id, b"", seconds=10, memory_bytes=64 * MIB))
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)
