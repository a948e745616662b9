"""Run one function in a process of its own that cannot outlive, outgrow or outwait its bounds.

libgit2 reads what a server advertises without a bound on bytes or time and calls nobody back
meanwhile. A server that drips or floods would hang or kill the daemon, and with it the healing of
the machine. Here only the child pays.
"""

import ctypes
import multiprocessing
import os
import resource
import signal
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.context import ForkProcess, SpawnProcess
from pathlib import Path

_MAX_REPLY = 64 * 1024
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)


class ChildLate(Exception):
    """The child did not answer in time and was killed."""


class ChildDied(Exception):
    """The child ended without an answer: out of memory, or killed by somebody."""


def run_apart(
    work: Callable[[bytes], bytes], request: bytes, *, seconds: float, memory_bytes: int
) -> bytes:
    """Call ``work(request)`` in a child process.

    Args:
        work: A function at the top of a module; its reply has at most 64 KiB.
        request: Its argument.
        seconds: Wall time until the child is killed.
        memory_bytes: Address space the child may add to what it starts with.

    Raises:
        ChildLate: Time is over.
        ChildDied: There is no reply.
    """
    reader, writer = multiprocessing.Pipe(duplex=False)
    arguments = (writer, work, request, (os.getpid(), seconds, memory_bytes))
    child = _process()(target=_serve, args=arguments, daemon=True)
    try:
        child.start()
        writer.close()
        if not reader.poll(seconds):
            raise ChildLate
        return reader.recv_bytes(_MAX_REPLY)
    except (EOFError, OSError) as error:
        raise ChildDied from error
    finally:
        reader.close()
        if child.pid is not None:
            child.kill()
            child.join()
            child.close()


def _process() -> type[ForkProcess] | type[SpawnProcess]:
    # A fork copies one thread and every lock; with other threads a fresh interpreter is safe.
    tasks = Path("/proc/self/task")
    alone = tasks.is_dir() and len(list(tasks.iterdir())) == 1 == threading.active_count()
    return ForkProcess if alone else SpawnProcess


def _serve(
    writer: Connection,
    work: Callable[[bytes], bytes],
    request: bytes,
    bounds: tuple[int, float, int],
) -> None:
    _bind(*bounds)
    writer.send_bytes(work(request))


def _bind(parent: int, seconds: float, memory_bytes: int) -> None:
    """Take the bounds on; a parent that is killed takes this process (and its locks) along."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGALRM):
        signal.signal(number, signal.SIG_DFL)
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)
    signal.setitimer(signal.ITIMER_REAL, seconds + 1)
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    space = pages * resource.getpagesize() + memory_bytes
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    if hard == resource.RLIM_INFINITY or space < hard:
        resource.setrlimit(resource.RLIMIT_AS, (space, hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
