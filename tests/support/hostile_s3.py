"""An S3 endpoint that answers whatever a test wants, byte for byte."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

Answer = Callable[[socket.socket, threading.Event], None]
"""Writes an answer to one request, or does not; the event says that the test is over."""


@dataclass
class HostileS3:
    """What it heard, and where it is."""

    port: int
    requests: list[bytes] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextlib.contextmanager
def hostile_s3(answer: Answer, context: ssl.SSLContext | None = None) -> Iterator[HostileS3]:
    """Listen on loopback until the test is over; each connection is one request."""
    threads: list[threading.Thread] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.05)
        server = HostileS3(listening.getsockname()[1])
        arguments = (listening, server, answer, context, threads)
        threads.append(threading.Thread(target=_serve, args=arguments, daemon=True))
        threads[0].start()
        try:
            yield server
        finally:
            server.ended.set()
            for thread in threads:
                thread.join(10)


def reply(status: str, body: bytes = b"", *headers: str) -> Answer:
    """A whole answer with the right length."""
    length = f"Content-Length: {len(body)}"
    lines = (f"HTTP/1.1 {status}", length, "Content-Type: application/xml", *headers, "", "")
    whole = "\r\n".join(lines).encode() + body
    return lambda connection, _: connection.sendall(whole)


def _serve(
    listening: socket.socket,
    server: HostileS3,
    answer: Answer,
    context: ssl.SSLContext | None,
    threads: list[threading.Thread],
) -> None:
    while not server.ended.is_set():
        with contextlib.suppress(OSError):
            connection, _ = listening.accept()
            arguments = (connection, server, answer, context)
            threads.append(threading.Thread(target=_talk, args=arguments, daemon=True))
            threads[-1].start()


def _talk(
    plain: socket.socket, server: HostileS3, answer: Answer, context: ssl.SSLContext | None
) -> None:
    with contextlib.suppress(OSError), plain:
        plain.settimeout(5)
        connection = plain if context is None else context.wrap_socket(plain, server_side=True)
        with connection:
            heard = b""
            while b"\r\n\r\n" not in heard and (data := connection.recv(65536)):
                heard += data
            server.requests.append(heard)
            answer(connection, server.ended)
