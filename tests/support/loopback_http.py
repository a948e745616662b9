"""A plain HTTP server on loopback in a thread of the test, well-behaved or as hostile as asked.

``hang``     accepts, then says nothing
``drip``     sends its headers one byte at a time, for ever
``trickle``  sends a body one byte at a time, for ever
``flood``    sends a body without end
``redirect`` sends the client to ``elsewhere``
``status``   fails with 503
``garbage``  answers 200 with bytes that are nothing
``broken``   closes in the middle of what it announced
``escape``   colours the terminal of whoever prints its words
"""

import contextlib
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = Callable[[str, str, bytes], tuple[int, bytes]]
"""Method, path and body of a request to status and body of the answer."""


class Server:
    """What a test knows of a running server, and may change while it runs."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.misbehave: str | None = None
        self.elsewhere = ""
        self.url = ""
        self.requests: list[tuple[str, str, bytes]] = []
        self.stopped = threading.Event()


class _Listening(ThreadingHTTPServer):
    daemon_threads = True
    told: Server

    def handle_error(self, *_: Any) -> None:
        """A client that went away is what half of these tests are about."""


@contextlib.contextmanager
def serve(answer: Answer, certificate: str | None = None) -> Iterator[Server]:
    """A server on an unused port while the block lasts."""
    server = Server(answer)
    listening = _Listening(("127.0.0.1", 0), _Handler)
    listening.told = server
    scheme = "http"
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        listening.socket = context.wrap_socket(listening.socket, server_side=True)
        scheme = "https"
    server.url = f"{scheme}://127.0.0.1:{listening.server_port}"
    thread = threading.Thread(target=listening.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.stopped.set()
        listening.shutdown()
        listening.server_close()
        thread.join(10)


class _Handler(BaseHTTPRequestHandler):
    """One request; ``server.told`` says how to treat it."""

    protocol_version = "HTTP/1.1"
    server: _Listening

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._do(b"")

    def do_POST(self) -> None:
        self._do(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    @property
    def told(self) -> Server:
        return self.server.told

    def _do(self, body: bytes) -> None:
        self.told.requests.append((self.command, self.path, body))
        self.close_connection = True
        with contextlib.suppress(OSError):
            if self.told.misbehave is None:
                self._send(*self.told.answer(self.command, self.path, body))
            else:
                getattr(self, f"_{self.told.misbehave}")()

    def _send(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)

    def _hang(self) -> None:
        self.told.stopped.wait(60)

    def _drip(self) -> None:
        self._slowly(b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 100_000)

    def _trickle(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n")
        self._slowly(b"x" * 9000)

    def _slowly(self, content: bytes) -> None:
        for byte in content:
            self.wfile.write(bytes([byte]))
            if self.told.stopped.wait(0.05):
                return

    def _flood(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while not self.told.stopped.is_set():
            self.wfile.write(b"1000\r\n" + b"x" * 0x1000 + b"\r\n")

    def _redirect(self) -> None:
        self.send_response(302)
        self.send_header("Location", self.told.elsewhere)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _status(self) -> None:
        self._send(503, b"\x1b[31mno\x1b[0m")

    def _garbage(self) -> None:
        self._send(200, b"\x00\x1b[31mnothing of use")

    def _broken(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\nshort")

    def _escape(self) -> None:
        self.wfile.write(b"\x1b[31mHTTP/1.1 \x00 no\r\n\r\n")
