"""What the other side of a connection says, whole: bounded bytes, one deadline for all of them."""

import socket
import time

from reconciler.errors import InputError

_PIECE = 64 * 1024


def read_all(connection: socket.socket, limit: int, patience_s: float) -> bytes:
    """Everything that a peer says until it ends its half.

    Args:
        connection: Open.
        limit: Most bytes that it may be.
        patience_s: Seconds for all of it.

    Raises:
        InputError: It is more than may be, or not over in time.
        OSError: The connection broke.
    """
    deadline, said = time.monotonic() + patience_s, bytearray()
    while True:
        left = deadline - time.monotonic()
        if left <= 0:
            raise _unread("did not end in time")
        connection.settimeout(left)
        try:
            piece = connection.recv(_PIECE)
        except TimeoutError:
            raise _unread("did not end in time") from None
        if not piece:
            return bytes(said)
        said += piece
        if len(said) > limit:
            raise _unread(f"is larger than {limit} bytes")


def _unread(what: str) -> InputError:
    return InputError(f"the message {what}", hint="Send one request, then end your half.")
