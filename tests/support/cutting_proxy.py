"""A TCP proxy on loopback that cuts a connection after so many bytes to the server.

Run as a program: ``cutting_proxy.py UPSTREAM_PORT BYTES``; prints its port. Zero bytes never cuts.
"""

import socket
import sys
import threading
from contextlib import suppress


def pump(source: socket.socket, sink: socket.socket, left: int | None) -> None:
    """Carry bytes until either side ends or the allowance is used up, then cut both."""
    with suppress(OSError):
        while data := source.recv(4096):
            if left is not None:
                data, left = data[:left], left - len(data)
            sink.sendall(data)
            if left is not None and left <= 0:
                break
    for end in (source, sink):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


def main(upstream: int, allowed: int) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    while True:
        client, _ = listener.accept()
        server = socket.create_connection(("127.0.0.1", upstream))
        for pair in ((client, server, allowed or None), (server, client, None)):
            threading.Thread(target=pump, args=pair, daemon=True).start()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
