"""The reconciler's side: it looks by itself, and has the helper carry steps out.

Rule 1: An operation is sent once. Whatever is lost after that may have happened: it is a failed
        operation that says so, and the second look decides.
Rule 2: Waiting changes nothing, so it needs nobody's help.
"""

import socket
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from reconciler.errors import InputError
from reconciler.model.answer import Answer
from reconciler.model.operation import (
    UNREACHED,
    Operation,
    OperationResult,
    WaitUntil,
    seconds_for,
)
from reconciler.model.probe import Probe
from reconciler.ports import Target
from reconciler.targets.helper import wire
from reconciler.targets.helper.message import read_all

_CONNECT_S = 10.0
_GRACE_S = 30.0
"""For how long an answer is waited for beyond the time of an operation; the helper waits, too."""


class HelperTarget:
    """Implements `reconciler.ports.Target`: asks here, carries out over a socket."""

    def __init__(self, local: Target, socket: Path) -> None:
        """Nothing is asked yet.

        Args:
            local: This machine, as far as this process may look at it.
            socket: The helper's.
        """
        self._local = local
        self._socket = socket

    def ask(self, probes: Sequence[Probe], deadline_s: float) -> Mapping[Probe, Answer]:
        """Answer every probe; see `reconciler.ports.Target.ask`."""
        return self._local.ask(probes, deadline_s)

    def carry_out(self, operation: Operation) -> OperationResult:
        """Carry out one operation; see `reconciler.ports.Target.carry_out`."""
        if isinstance(operation, WaitUntil):
            return self._local.carry_out(operation)
        started = time.monotonic()
        try:
            request = wire.encode(operation)
        except InputError as error:
            return _failed(error.message, started)
        try:
            connection = self._connect()
        except OSError as error:
            return _failed(f"{UNREACHED}{_said(error)}", started)
        patience_s = seconds_for(operation) + _GRACE_S
        with connection:
            return _exchange(connection, request, patience_s, started)

    def _connect(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        try:
            connection.settimeout(_CONNECT_S)
            connection.connect(str(self._socket))
        except OSError:
            connection.close()
            raise
        return connection


def _exchange(
    connection: socket.socket, request: bytes, patience_s: float, started: float
) -> OperationResult:
    try:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        answer = read_all(connection, wire.MAX_RESULT, patience_s)
        return wire.decode_result(answer)
    except OSError as error:
        return _failed(
            f"the helper's answer is lost, it may have happened: {_said(error)}", started
        )
    except InputError as error:
        return _failed(f"the helper's answer, it may have happened: {error.message}", started)


def _said(error: OSError) -> str:
    return error.strerror or type(error).__name__


def _failed(reason: str, started: float) -> OperationResult:
    return OperationResult(ok=False, reason=reason, ms=int((time.monotonic() - started) * 1000))
