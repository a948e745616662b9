"""Receivers of tickets on loopback: a webhook that checks, a GitHub that counts, a mail server."""

import contextlib
import json
import re
import socketserver
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message as Mail
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Headers = dict[str, str]
Answer = Callable[[str, str, Headers, bytes], tuple[int, Any]]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    answer: Answer

    def log_message(self, *_: Any) -> None:
        pass

    def _do(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        status, said = self.answer(self.command, self.path, dict(self.headers), body)
        content = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PATCH = _do


@contextlib.contextmanager
def serving(answer: Answer) -> Iterator[str]:
    """An HTTP server while the block lasts; its address."""
    handler = type("Handler", (_Handler,), {"answer": staticmethod(answer)})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    with _running(server):
        yield f"http://127.0.0.1:{server.server_port}"


@contextlib.contextmanager
def _running(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


@dataclass
class Inbox:
    """A webhook receiver that keeps what came."""

    status: int = 204
    came: list[tuple[Headers, bytes]] = field(default_factory=list)

    def __call__(self, _method: str, _path: str, headers: Headers, body: bytes) -> tuple[int, Any]:
        self.came.append((headers, body))
        return self.status, None

    @property
    def ids(self) -> list[str]:
        return [headers["Idempotency-Key"] for headers, _ in self.came]


@dataclass
class FakeGitHub:
    """Issues and comments of one repository, as the API of GitHub tells them."""

    token: str
    issues: list[dict[str, Any]] = field(default_factory=list)
    comments: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    fail: dict[str, int] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def __call__(self, method: str, path: str, headers: Headers, body: bytes) -> tuple[int, Any]:
        plain = path.split("?")[0]
        self.asked.append(f"{method} {plain}")
        if headers.get("Authorization") != f"Bearer {self.token}":
            return 401, {"message": "Bad credentials"}
        before, after = f"{method} {plain}", f"after {method} {plain}"
        if before in self.fail:
            return self.fail[before], {"message": "no"}
        status, said = self._do(method, path, json.loads(body) if body else {})
        return (self.fail[after], {}) if after in self.fail else (status, said)

    def _do(self, method: str, path: str, said: dict[str, Any]) -> tuple[int, Any]:
        plain, _, query = path.removeprefix("/repos/msp/tickets/issues").partition("?")
        page = re.search(r"per_page=([0-9]+)&page=([0-9]+)", query)
        size, number = map(int, page.groups()) if page else (30, 1)
        shown = slice((number - 1) * size, number * size)
        match [method, *plain.strip("/").split("/")]:
            case ["GET", ""]:
                return 200, self.issues[::-1][shown]
            case ["POST", ""]:
                issue = said | {"number": len(self.issues) + 1, "state": "open", "comments": 0}
                self.issues.append(issue)
                return 201, issue
            case ["GET", n, "comments"]:
                return 200, [one for number, one in self.comments if number == int(n)][shown]
            case ["POST", n, "comments"]:
                self.comments.append((int(n), said))
                self._of(n)["comments"] += 1
                return 201, said
            case ["PATCH", n]:
                self._of(n).update(said)
                return 200, self._of(n)
            case ["GET", n] if self.exists(n):
                return 200, self._of(n)
        return 404, {"message": "Not Found"}

    def exists(self, number: str) -> bool:
        return any(str(issue["number"]) == number for issue in self.issues)

    def _of(self, number: str) -> dict[str, Any]:
        (issue,) = [one for one in self.issues if str(one["number"]) == number]
        return issue


class _Smtp(socketserver.StreamRequestHandler):
    """Enough of RFC 5321 for a client to hand a mail over, or to be turned away."""

    server: "MailServer"

    def handle(self) -> None:
        self._say("220 mail.example ESMTP")
        recipients: list[str] = []
        for raw in self.rfile:
            line = raw.decode().strip()
            match line.split(" ")[0].upper():
                case "EHLO":
                    self._say("250-mail.example\r\n250 8BITMIME")
                case "RCPT" if self.server.rejects:
                    self._say("550 no such user")
                case "RCPT":
                    recipients.append(line)
                    self._say("250 ok")
                case "DATA":
                    self._say("354 go on")
                    self.server.mails.append((recipients, message_from_bytes(self._data())))
                    self._say("250 taken")
                case "QUIT":
                    self._say("221 bye")
                    return
                case _:
                    self._say("250 ok")

    def _data(self) -> bytes:
        data = b""
        for raw in self.rfile:
            if raw == b".\r\n":
                break
            data += raw.removeprefix(b".") if raw.startswith(b"..") else raw
        return data

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


class MailServer(socketserver.ThreadingTCPServer):
    """A mail server on loopback."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Smtp)
        self.mails: list[tuple[list[str], Mail]] = []
        self.rejects = False

    @property
    def url(self) -> str:
        port = self.server_address[1]
        return f"mailto://127.0.0.1:{port}?from=reconciler@msp.example&to=desk@msp.example"


@contextlib.contextmanager
def mail_server() -> Iterator[MailServer]:
    server = MailServer()
    with _running(server):
        yield server
