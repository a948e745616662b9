"""Dumps over netlink (RFC 3549, netlink(7)): a request out, messages and their attributes back.

Rule 1: Every length is checked against the bytes at hand; what does not fit is `NoAnswer`, so a
        kernel newer than this code can be misread only by saying so.
Rule 2: A dump that the kernel marks as interrupted by a change is asked for again.
"""

import errno
import os
import socket
import struct
import time
from collections.abc import Iterator

from reconciler.targets.linux.no_answer import NoAnswer

NETLINK_SOCK_DIAG = 4
NETLINK_AUDIT = 9
NETLINK_NETFILTER = 12

_F_REQUEST, _F_DUMP = 0x1, 0x300

_ERROR, _DONE = 2, 3
_F_DUMP_INTERRUPTED = 0x10
_HEADER = struct.Struct("=IHHII")
_ATTRIBUTE = struct.Struct("=HH")
_TYPE_MASK = 0x3FFF
_RECEIVE = 64 * 1024
_MAX_DUMP = 32 * 1024 * 1024
_TRIES = 5

Attributes = dict[int, bytes]
"""Payload by attribute type; the last of a type wins, as in the kernel."""


class Interrupted(Exception):
    """Something changed during the dump; stays inside this module."""


def dump(
    protocol: int, kind: int, body: bytes, deadline: float, *, single: bool = False
) -> list[tuple[int, bytes]]:
    """Ask for a list and read all of it.

    Args:
        protocol: ``NETLINK_*``.
        kind: Message type of the request.
        body: What follows the message header.
        deadline: Monotonic time at which to give up.
        single: Whether one message is the whole answer.

    Returns:
        Type and payload of every message of the answer.

    Raises:
        OSError: The kernel refused, with its errno; `TimeoutError` when the time is up.
        NoAnswer: The answer is malformed, too large, or never stood still.
    """
    flags = _F_REQUEST if single else _F_REQUEST | _F_DUMP
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, protocol) as link:
        link.bind((0, 0))
        for number in range(1, _TRIES + 1):
            header = _HEADER.pack(_HEADER.size + len(body), kind, flags, number, 0)
            link.settimeout(_seconds(deadline))
            link.send(header + body)
            try:
                return _collect(link, number, deadline, single)
            except Interrupted:
                continue
    raise NoAnswer("error", "the kernel's list changed while it was read")


def attributes(data: bytes) -> Attributes:
    """The attributes in a payload.

    Raises:
        NoAnswer: A length does not fit.
    """
    return dict(each(data))


def each(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Attributes one after the other, for nested lists where one type repeats.

    Raises:
        NoAnswer: A length does not fit.
    """
    at = 0
    while at + _ATTRIBUTE.size <= len(data):
        size, kind = _ATTRIBUTE.unpack_from(data, at)
        if size < _ATTRIBUTE.size or at + size > len(data):
            raise NoAnswer("error", "malformed netlink attribute")
        yield kind & _TYPE_MASK, data[at + _ATTRIBUTE.size : at + size]
        at += size + -size % 4


def attribute(kind: int, payload: bytes) -> bytes:
    """One attribute to send."""
    size = _ATTRIBUTE.size + len(payload)
    return _ATTRIBUTE.pack(size, kind) + payload + b"\0" * (-size % 4)


def _collect(
    link: socket.socket, number: int, deadline: float, single: bool
) -> list[tuple[int, bytes]]:
    found: list[tuple[int, bytes]] = []
    seen_flags = 0
    for kind, flags, sequence, payload in _received(link, deadline):
        if sequence != number:
            continue
        seen_flags |= flags
        ended = _ends(kind, payload)
        if not ended and kind > _DONE:
            found.append((kind, payload))
        if ended or (single and found):
            break
    if seen_flags & _F_DUMP_INTERRUPTED:
        raise Interrupted
    return found


def _received(link: socket.socket, deadline: float) -> Iterator[tuple[int, int, int, bytes]]:
    total = 0
    while True:
        link.settimeout(_seconds(deadline))
        data, (sender, _) = link.recvfrom(_RECEIVE)
        total += len(data)
        if total > _MAX_DUMP:
            raise NoAnswer("error", f"netlink answer is larger than {_MAX_DUMP} bytes")
        # Only the kernel has port 0; another process could send to us as well.
        if sender == 0:
            yield from _messages(data)


def _ends(kind: int, payload: bytes) -> bool:
    # Both ways to end carry an errno, 0 when all is well.
    if kind not in (_ERROR, _DONE):
        return False
    code = -struct.unpack_from("=i", payload)[0] if len(payload) >= 4 else 0
    if code == errno.EINTR:
        raise Interrupted
    if code:
        raise OSError(code, os.strerror(code))
    return True


def _messages(data: bytes) -> Iterator[tuple[int, int, int, bytes]]:
    at = 0
    while at + _HEADER.size <= len(data):
        size, kind, flags, sequence, _ = _HEADER.unpack_from(data, at)
        if size < _HEADER.size or at + size > len(data):
            raise NoAnswer("error", "malformed netlink message")
        yield kind, flags, sequence, data[at + _HEADER.size : at + size]
        at += size + -size % 4


def _seconds(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("did not answer in time")
    return left
