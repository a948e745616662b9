"""The kernel's tables of sockets: which addresses and ports are bound, by which inode.

The sock_diag(7) netlink family answers for listening sockets alone; /proc/net/tcp walks the table
of all connections, which costs milliseconds on a machine with much memory. A kernel without the
``*_diag`` modules is asked through /proc/net.
"""

import errno
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from reconciler.targets.linux.netlink import NETLINK_SOCK_DIAG, dump
from reconciler.targets.linux.no_answer import NoAnswer
from reconciler.targets.linux.session import Session

_BY_FAMILY = 20
_PROTOCOLS = {"tcp": socket.IPPROTO_TCP, "udp": socket.IPPROTO_UDP}
_TABLES = (("tcp", ""), ("tcp", "6"), ("udp", ""), ("udp", "6"))
# A TCP socket counts when it listens, a UDP socket when it is bound and not connected.
_STATE = {"tcp": 0x0A, "udp": 0x07}
_REQUEST = struct.Struct("=BBBBI48x")
_REPLY = struct.Struct("=4x2s2x16s16x12x16xI")
_TABLE_LIMIT = 16 * 1024 * 1024
_MAPPED = b"\0" * 10 + b"\xff\xff"
_NO_MODULE = frozenset({errno.ENOENT, errno.EPROTONOSUPPORT, errno.EINVAL, errno.EOPNOTSUPP})


@dataclass(frozen=True, slots=True)
class Bound:
    """One socket that others can send to.

    Attributes:
        protocol: ``tcp`` or ``udp``.
        address: As inet_ntop(3) writes it.
        port: Never 0.
        loopback: Whether it can only be reached from this machine.
        inode: Number of the socket, in decimal digits.
    """

    protocol: str
    address: str
    port: int
    loopback: bool
    inode: str


def bound_sockets(session: Session) -> list[Bound]:
    """Every listening TCP and bound UDP socket of this network namespace.

    Raises:
        OSError: The kernel refused.
        NoAnswer: Its tables make no sense.
    """
    try:
        return [line for name, six in _TABLES for line in _diag(session, name, bool(six))]
    except OSError as error:
        if error.errno not in _NO_MODULE:
            raise
        return [line for name, six in _TABLES for line in _table(session, name, six)]


def read_reply(data: bytes, protocol: str) -> Bound | None:
    """A socket from ``struct inet_diag_msg``; ``None`` when it has no port yet.

    Raises:
        NoAnswer: Cut short.
    """
    if len(data) < _REPLY.size:
        raise NoAnswer("error", "malformed sock_diag message")
    port, address, inode = _REPLY.unpack_from(data)
    number = int.from_bytes(port, "big")
    packed = address if data[0] == socket.AF_INET6 else address[:4]
    if not number:
        return None
    return Bound(protocol, _text(packed), number, is_loopback(packed), str(inode))


def _diag(session: Session, protocol: str, six: bool) -> Iterator[Bound]:
    family = socket.AF_INET6 if six else socket.AF_INET
    request = _REQUEST.pack(family, _PROTOCOLS[protocol], 0, 0, 1 << _STATE[protocol])
    for _, data in dump(NETLINK_SOCK_DIAG, _BY_FAMILY, request, session.deadline):
        found = read_reply(data, protocol)
        if found is not None:
            yield found


def _table(session: Session, protocol: str, six: str) -> Iterator[Bound]:
    try:
        data = session.tree.read(f"/proc/net/{protocol}{six}", _TABLE_LIMIT)
    except FileNotFoundError:
        # A kernel without IPv6 has no such table, and no such sockets.
        if six:
            return
        raise
    yield from read_table(data.decode("ascii", "replace"), protocol)


def read_table(text: str, protocol: str) -> Iterator[Bound]:
    """The lines of /proc/net/{tcp,udp}{,6} that count.

    Raises:
        NoAnswer: A line is not as proc(5) says.
    """
    wanted = f"{_STATE[protocol]:02X}"
    for line in text.splitlines()[1:]:
        columns = line.split(None, 10)
        if len(columns) < 10:
            raise NoAnswer("error", f"malformed line in /proc/net: {line[:80]!r}")
        if columns[3] != wanted:
            continue
        address, _, port = columns[1].partition(":")
        if int(port, 16):
            packed = _packed(address)
            yield Bound(protocol, _text(packed), int(port, 16), is_loopback(packed), columns[9])


def is_loopback(packed: bytes) -> bool:
    """Whether an address can only be reached from this machine: 127/8, ::1, ::ffff:127/8."""
    if len(packed) == 16:
        if packed == b"\0" * 15 + b"\1":
            return True
        if not packed.startswith(_MAPPED):
            return False
        packed = packed[12:]
    return packed[0] == 127


def _packed(address: str) -> bytes:
    # Words of 32 bits in the machine's byte order, each printed as one number.
    try:
        words = [bytes.fromhex(address[at : at + 8])[::_STEP] for at in range(0, len(address), 8)]
    except ValueError as error:
        raise NoAnswer("error", f"malformed address in /proc/net: {address[:40]!r}") from error
    return b"".join(words)


_STEP = -1 if socket.htons(1) != 1 else 1


def _text(packed: bytes) -> str:
    family = socket.AF_INET if len(packed) == 4 else socket.AF_INET6
    try:
        return socket.inet_ntop(family, packed)
    except ValueError as error:
        raise NoAnswer("error", "malformed address in /proc/net") from error
