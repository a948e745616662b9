"""One D-Bus connection over a Unix socket: authenticate, send many calls at once, collect replies.

Authentication is EXTERNAL: the kernel vouches for the user id. Its lines travel in one write, as
sd-bus does; the first call waits for the answer, because PID 1 leaves a call that came along with
them unread until more arrives.
"""

import os
import socket
import time
from collections.abc import Callable, Sequence

from reconciler.targets.linux.dbus_values import Malformed
from reconciler.targets.linux.dbus_wire import (
    ERROR,
    METHOD_RETURN,
    SIGNAL,
    Call,
    Message,
    decode_message,
    encode_call,
    message_size,
)

MAX_IN_FLIGHT = 64

_HELLO = Call("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "Hello")
_LONGEST_LINE = 4096
_PIECE = 16_384


class Connection:
    """A connection; not for use by two threads."""

    def __init__(self, path: str, *, daemon: bool, deadline: float, listen: bool = False) -> None:
        """Connect and authenticate.

        Args:
            path: Of the Unix socket.
            daemon: Whether a message bus answers there (it wants a Hello), or a peer: PID 1 itself.
            deadline: Monotonic time at which to give up.
            listen: Whether signals are kept for `wait_signal`; otherwise they are not even read.

        Raises:
            OSError: Nobody listens there, or nobody lets us in.
            Malformed: Who listens there does not speak D-Bus.
        """
        self.daemon = daemon
        self._listen = listen
        self._signals: list[Message] = []
        self._serial = 0
        self._received = bytearray()
        self._unsent = encode_call(_HELLO, self._next()) if daemon else b""
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._socket.settimeout(_seconds(deadline))
            self._socket.connect(path)
            self._authenticate(deadline)
        except (OSError, Malformed):
            self._socket.close()
            raise

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def call_all(self, calls: Sequence[Call], deadline: float) -> list[Message]:
        """Call many methods at once.

        Args:
            calls: What to call.
            deadline: Monotonic time at which to give up.

        Returns:
            One message for each call, in the same order: a return or an error.

        Raises:
            OSError: The connection broke (`ConnectionError`) or the time is up (`TimeoutError`).
            Malformed: What came back is no D-Bus.
        """
        replies: list[Message] = []
        for start in range(0, len(calls), MAX_IN_FLIGHT):
            replies += self._flight(calls[start : start + MAX_IN_FLIGHT], deadline)
        return replies

    def wait_signal(self, wanted: Callable[[Message], bool], deadline: float) -> Message:
        """The first signal that is wanted, among those already received and those to come.

        Raises:
            OSError: The connection broke, or the time is up.
            Malformed: What came is no D-Bus.
        """
        while True:
            for signal in self._signals:
                if wanted(signal):
                    return signal
            self._signals.clear()
            self._socket.settimeout(_seconds(deadline))
            self._take(self._receive(deadline), {})

    def _flight(self, calls: Sequence[Call], deadline: float) -> list[Message]:
        numbers = [self._next() for _ in calls]
        self._send(b"".join(map(encode_call, calls, numbers)), deadline)
        replies: dict[int, Message] = {}
        missing = set(numbers)
        while missing:
            self._take(self._receive(deadline), replies)
            missing.difference_update(replies)
        return [replies[number] for number in numbers]

    def _take(self, message: Message, replies: dict[int, Message]) -> None:
        if message.kind in (METHOD_RETURN, ERROR):
            replies[message.reply_to] = message
        elif message.kind == SIGNAL:
            self._signals.append(message)

    def _next(self) -> int:
        self._serial += 1
        return self._serial

    def _send(self, data: bytes, deadline: float) -> None:
        self._socket.settimeout(_seconds(deadline))
        self._socket.sendall(self._unsent + data)
        self._unsent = b""

    def _receive(self, deadline: float) -> Message:
        while True:
            self._fill(16, deadline)
            size = message_size(self._received)
            self._fill(size, deadline)
            data = bytes(self._received[:size])
            del self._received[:size]
            if self._listen or data[1] != SIGNAL:
                return decode_message(data)

    def _authenticate(self, deadline: float) -> None:
        identity = str(os.geteuid()).encode().hex().encode()
        self._socket.sendall(b"\0AUTH EXTERNAL " + identity + b"\r\nBEGIN\r\n")
        while b"\r\n" not in self._received:
            if len(self._received) > _LONGEST_LINE:
                raise Malformed("greeting without an end")
            self._fill(len(self._received) + 1, deadline)
        line, _, rest = bytes(self._received).partition(b"\r\n")
        if not line.startswith(b"OK "):
            raise PermissionError(13, "authentication was refused")
        self._received = bytearray(rest)

    def _fill(self, size: int, deadline: float) -> None:
        while len(self._received) < size:
            # The socket's own time limit was set when the flight began; this bounds their sum.
            _seconds(deadline)
            data = self._socket.recv(_PIECE)
            if not data:
                raise ConnectionResetError(104, "the bus closed the connection")
            self._received += data


def _seconds(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("did not answer in time")
    return left
