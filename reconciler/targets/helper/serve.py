"""The helper's side: one operation a connection, from one user, carried out as this process.

Rule 1: Who asks is what the kernel says (SO_PEERCRED), before a byte is read.
Rule 2: A request is whole, small and in time, or it is dropped: bounded bytes, one deadline for
        all of them, few connections at once.
Rule 3: One operation at a time. What is refused and what is done is logged, without content, and
        one line stays one: what somebody asks for writes no line of its own.
Rule 4: It ends when nobody asks for a while, so that the next operation is carried out by the
        version that is installed then; never while one is under way.
"""

import errno
import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from reconciler.errors import InputError, MachineError
from reconciler.model.operation import REFUSED, UNDER_WAY, Operation, OperationResult
from reconciler.ports import Target
from reconciler.targets.helper import policy, wire
from reconciler.targets.helper.message import read_all

Log = Callable[[str], None]

_CREDENTIALS = struct.Struct("3i")
_SHOWN = ("verb", "unit", "system", "previous", "generation", "action", "path", "units", "job")
_PASSING = {errno.ECONNABORTED, errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
"""What accept(2) fails with that may be over a moment later."""


@dataclass(frozen=True, slots=True)
class Peer:
    """Who is at the other end of a connection, by the kernel."""

    pid: int
    uid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Whom the helper serves, and how long it waits.

    Attributes:
        uid: The one user that it answers.
        request_s: Seconds for a whole request.
        idle_s: Seconds without a connection after which it ends.
        at_once: Connections that are looked at side by side; more are closed.
    """

    uid: int
    request_s: float = 5.0
    idle_s: float = 60.0
    at_once: int = 8


def serve(listening: socket.socket, target: Target, terms: Terms, log: Log) -> None:
    """Answer connections until none has come for a while.

    Args:
        listening: A listening Unix socket.
        target: This machine.
        terms: Whom to serve.
        log: Takes one line about each request.

    Raises:
        MachineError: The socket is none that can be listened on, or none any more.
    """
    _require_unix(listening)
    helper = _Helper(target, terms, lambda line: log(_one_line(line)))
    listening.settimeout(terms.idle_s)
    while True:
        try:
            connection, _address = listening.accept()
        except TimeoutError:
            if helper.idle():
                return
            continue
        except OSError as error:
            if error.errno not in _PASSING:
                raise MachineError(
                    f"the helper cannot listen any more: {error.strerror}",
                    hint="Start its socket again: systemctl restart reconciler-helper.socket",
                ) from error
            log(f"a connection was lost: {error.strerror}")
            time.sleep(0.1)
            continue
        helper.take(connection)


def peer_of(connection: socket.socket) -> Peer:
    """Who connected: the kernel says so, as of then."""
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    pid, uid, _gid = _CREDENTIALS.unpack(raw)
    return Peer(pid, uid)


@dataclass(slots=True)
class _Helper:
    target: Target
    terms: Terms
    log: Log
    _working: threading.Lock = field(default_factory=threading.Lock)
    _counting: threading.Lock = field(default_factory=threading.Lock)
    _open: int = 0

    def idle(self) -> bool:
        with self._counting:
            return self._open == 0

    def take(self, connection: socket.socket) -> None:
        peer = peer_of(connection)
        if peer.uid != self.terms.uid:
            self.log(f"refused: uid {peer.uid} (pid {peer.pid}) is not who is served")
            connection.close()
            return
        with self._counting:
            full = self._open >= self.terms.at_once
            self._open += not full
        if full:
            self.log(f"refused: {self.terms.at_once} connections are open already")
            connection.close()
            return
        threading.Thread(target=self._answer, args=(connection, peer), daemon=True).start()

    def _answer(self, connection: socket.socket, peer: Peer) -> None:
        try:
            with connection:
                self._converse(connection, peer)
        finally:
            with self._counting:
                self._open -= 1

    def _converse(self, connection: socket.socket, peer: Peer) -> None:
        try:
            operation = wire.decode(read_all(connection, wire.MAX_REQUEST, self.terms.request_s))
        except (InputError, OSError) as error:
            self.log(f"refused: a request by pid {peer.pid}: {error}")
            result = OperationResult(ok=False, reason=f"{REFUSED}{error}", ms=0)
        else:
            result = self._decide(operation)
            said = "ok" if result.ok else result.reason
            self.log(f"{in_words(operation)} for pid {peer.pid}: {said} ({result.ms} ms)")
        # Whoever asked may be gone; what was done is logged, and the second look decides.
        with suppress(OSError):
            connection.settimeout(self.terms.request_s)
            connection.sendall(wire.encode_result(result))

    def _decide(self, operation: Operation) -> OperationResult:
        refused = policy.refused(operation)
        if refused is not None:
            return OperationResult(ok=False, reason=f"{REFUSED}{refused}", ms=0)
        if not self._working.acquire(blocking=False):
            return OperationResult(ok=False, reason=UNDER_WAY, ms=0)
        try:
            return self.target.carry_out(operation)
        finally:
            self._working.release()


def in_words(operation: Operation) -> str:
    """An operation for the journal: its kind and what it is about, never what is in it."""
    about = [f"{name}={getattr(operation, name)}" for name in _SHOWN if hasattr(operation, name)]
    return " ".join([type(operation).__name__, *about])[:500]


def _one_line(text: str) -> str:
    return "".join(sign if sign.isprintable() else "?" for sign in text)


def _require_unix(listening: socket.socket) -> None:
    unix = listening.family == socket.AF_UNIX and listening.type == socket.SOCK_STREAM
    if not unix or not listening.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        raise MachineError(
            "the helper was given no socket to listen on",
            hint="Start it by its socket unit: systemctl start reconciler-helper.socket",
        )
