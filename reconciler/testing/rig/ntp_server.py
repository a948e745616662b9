"""An NTP server (RFC 5905, mode 4) whose clock can be wrong, run inside a rig's own network.

    python -I ntp_server.py OFFSET_SECONDS ADDRESS...

It reads the host's clock and never sets one: a wrong clock is an offset added to the answer.
"""

import selectors
import socket
import struct
import sys
import time

NTP_EPOCH = 2_208_988_800
"""Seconds from 1900, where NTP starts to count, to 1970."""

HEADER = struct.Struct("!BBBbII4s")


def timestamp(offset: float) -> bytes:
    """Now plus `offset` seconds as an NTP timestamp: 32 bits of seconds, 32 of fraction."""
    now = time.time() + NTP_EPOCH + offset  # noqa: TID251 - it serves the wall clock
    return struct.pack("!II", int(now) & 0xFFFFFFFF, int(now % 1 * 2**32))


def answer(request: bytes, offset: float) -> bytes:
    """A stratum 2 server's answer to a client's request of at least 48 bytes."""
    version = request[0] & 0b0011_1000
    received = timestamp(offset)
    header = HEADER.pack(version | 4, 2, request[2], -20, 64, 64, b"RIG\0")
    return header + received + request[40:48] + received + timestamp(offset)


def serve(offset: float, addresses: list[str]) -> None:
    """Answer for ever, on UDP port 123 of every address."""
    waiting = selectors.DefaultSelector()
    for address in addresses:
        endpoint = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        endpoint.bind((address, 123))
        waiting.register(endpoint, selectors.EVENT_READ, endpoint)
    print("ready", flush=True)  # noqa: T201 - whoever started it waits for the line
    while True:
        for key, _ in waiting.select():
            request, client = key.data.recvfrom(512)
            if len(request) >= 48:
                key.data.sendto(answer(request, offset), client)


if __name__ == "__main__":
    serve(float(sys.argv[1]), sys.argv[2:])
