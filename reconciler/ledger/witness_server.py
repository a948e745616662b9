"""Serving the witness protocol over HTTP/1.1, on a TCP address or a Unix socket.

Rule 1: A body has a length, said before it comes, and a small one.
Rule 2: A connection lives for seconds and there are few at a time: who drips bytes is cut off, and
        who opens many waits outside.
Rule 3: Nothing of a request is logged; what the witness objects to is in its ledger.
"""

import re
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import TCPServer, ThreadingMixIn
from types import TracebackType
from typing import Any, Self

from reconciler.errors import InputError, MachineError, ReconcilerError
from reconciler.evidence.witnessing import MAX_REQUEST
from reconciler.ledger.witness import Witness
from reconciler.ledger.witness_protocol import ADD, Answer, Protocol, said

CONNECTION_SECONDS = 30.0
IDLE_SECONDS = 10.0
MAX_CONNECTIONS = 32

_TCP = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9.-]+)):([0-9]{1,5})")
_LENGTH = re.compile(r"[0-9]{1,9}")
_HINT = "Give HOST:PORT, [IPv6]:PORT or unix:/absolute/path."

Address = tuple[str, int] | str
"""Host and port, or the path of a Unix socket."""


def parse_address(text: str) -> Address:
    """Read an address to serve on.

    Raises:
        InputError: Not ``HOST:PORT``, ``[IPv6]:PORT`` or ``unix:/absolute/path``.
    """
    if text.startswith("unix:/"):
        return text.removeprefix("unix:")
    match = _TCP.fullmatch(text)
    if match is None or int(match[3]) > 65_535:
        raise InputError(f"{text!r:.80} is not an address", hint=_HINT)
    return match[1] or match[2], int(match[3])


class WitnessServer:
    """A server in threads of its own, from `start` to `close`."""

    def __init__(
        self,
        witness: Witness,
        address: Address,
        complain: Callable[[ReconcilerError], None],
        *,
        connection_seconds: float = CONNECTION_SECONDS,
    ) -> None:
        """Listen; nobody is answered before `start`.

        Args:
            witness: Who decides.
            address: Where; port 0 takes any free one.
            complain: Told why the witness could not do its work.
            connection_seconds: How long a connection may live.

        Raises:
            MachineError: The address is taken, or cannot be used.
        """
        protocol = Protocol(witness, complain)
        family = socket.AF_UNIX
        if not isinstance(address, str):
            family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self._socket_path = Path(address) if isinstance(address, str) else None
        try:
            if self._socket_path is not None:
                _clear_stale(self._socket_path)
            self._server = _Server(family, address, protocol, connection_seconds)
        except OSError as error:
            message = f"cannot serve on {address}: {error.strerror or error}"
            raise MachineError(message, hint="Choose a free address of this machine.") from error
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True)

    @property
    def address(self) -> Any:
        """Where it listens, as the socket says."""
        return self._server.server_address

    def start(self) -> None:
        """Answer from now on."""
        self._thread.start()

    def close(self) -> None:
        """Stop listening; requests that are being answered are finished."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()
        if self._socket_path is not None:
            self._socket_path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class _Server(ThreadingMixIn, TCPServer):
    """Not `http.server.HTTPServer`: that asks the resolver for a name when it binds."""

    allow_reuse_address = True
    # Closing waits for what is being answered, so nobody signs without a memory.
    daemon_threads = False
    request_queue_size = MAX_CONNECTIONS

    def __init__(
        self, family: int, address: Address, protocol: Protocol, connection_seconds: float
    ) -> None:
        self.address_family = family
        self.protocol = protocol
        self._seconds = connection_seconds
        self._free = threading.BoundedSemaphore(MAX_CONNECTIONS)
        self._open: set[socket.socket] = set()
        bound: Any = address  # typeshed does not know that it may be the path of a socket
        super().__init__(bound, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Take a connection if there is room."""
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """One connection, until its time is up."""
        end = threading.Timer(self._seconds, _cut, (request, socket.SHUT_RDWR))
        end.daemon = True
        end.start()
        self._open.add(request)
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._open.discard(request)
            end.cancel()
            self._free.release()

    def server_close(self) -> None:
        """Take no more requests, and wait until the last one is answered."""
        for connection in tuple(self._open):
            _cut(connection, socket.SHUT_RD)
        super().server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that broke is the other side's business."""


def _cut(connection: socket.socket, how: int) -> None:
    with suppress(OSError):
        connection.shutdown(how)


def _clear_stale(path: Path) -> None:
    """Remove the socket of a server that died; one that answers is left alone."""
    if path.is_socket():
        with socket.socket(socket.AF_UNIX) as probe, suppress(ConnectionRefusedError):
            probe.connect(str(path))
            return
        path.unlink(missing_ok=True)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Else what cannot be read is answered as in HTTP/0.9, without a status.
    default_request_version = "HTTP/1.0"
    server_version = "reconciler-witness"
    sys_version = ""
    timeout = IDLE_SECONDS
    server: _Server

    def do_POST(self) -> None:
        """Add a checkpoint."""
        length = self._length()
        if length is None:
            self._answer(said(411, "say the length of the body, once"), close=True)
        elif length > MAX_REQUEST:
            self._answer(said(413, f"a request is at most {MAX_REQUEST} bytes"), close=True)
        elif self.path != ADD:
            self._answer(said(404, "there is nothing here"), close=True)
        else:
            body = self.rfile.read(length)
            self.close_connection = self.close_connection or len(body) != length
            if len(body) == length:
                self._answer(self.server.protocol.add(body))

    def do_GET(self) -> None:
        """Show a checkpoint."""
        # A body that nobody reads would be taken for the next request.
        close = self._length() != 0 and "Content-Length" in self.headers
        self._answer(self.server.protocol.show(self.path), close=close or self._chunked())

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: what came in is somebody else's text."""

    def _length(self) -> int | None:
        lengths = self.headers.get_all("Content-Length", [])
        if len(lengths) != 1 or self._chunked() or not _LENGTH.fullmatch(lengths[0].strip()):
            return None
        return int(lengths[0])

    def _chunked(self) -> bool:
        return "Transfer-Encoding" in self.headers

    def _answer(self, answer: Answer, *, close: bool = False) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        if close:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(answer.body)
