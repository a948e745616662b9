"""A language model's endpoint on this machine: answers well, badly, slowly, or with any bytes.

It speaks OpenAI's Chat Completions over real HTTP, so that what is tested is the real client::

    with serve(well(lambda data: data["candidates"][0]["id"])) as llm:
        ...  # advise: {kind: compatible, base_url: <llm.base_url>, model: any}
    assert len(llm.requests) == 1

A behaviour is a function from a request to an answer; the ones below are combined or replaced by
your own. Nothing here decides anything about machines: guards do, whatever a model says.
"""

import contextlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_LARGEST_REQUEST = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked.

    Attributes:
        headers: By name in lower case.
        body: The JSON object that was posted; empty if it was none.
    """

    path: str
    headers: Mapping[str, str]
    body: Mapping[str, Any]

    @property
    def data(self) -> dict[str, Any]:
        """The user's message: the finding and its candidates."""
        found: dict[str, Any] = json.loads(self.body["messages"][-1]["content"])
        return found

    @property
    def system(self) -> str:
        """The system's message."""
        return str(self.body["messages"][0]["content"])

    @property
    def form(self) -> str:
        """The type of the form that the answer should have; ``text`` for none."""
        return str(self.body.get("response_format", {}).get("type", "text"))


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back.

    Attributes:
        chunk_s: Seconds between two bytes; 0 sends all at once.
        wait_s: Seconds before anything is sent.
        endless: Whether the content is repeated for ever.
    """

    content: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    chunk_s: float = 0.0
    wait_s: float = 0.0
    endless: bool = False


Behaviour = Callable[[Request], Answer]


def completion(text: Any, tokens: tuple[int, int] | None = (400, 20)) -> bytes:
    """The body of a chat completion that says a text."""
    said = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
    body: dict[str, Any] = {"id": "x", "object": "chat.completion", "choices": [said]}
    if tokens is not None:
        body["usage"] = {"prompt_tokens": tokens[0], "completion_tokens": tokens[1]}
    return json.dumps(body).encode()


def chosen(check: str, choice: str, confidence_percent: int = 90) -> str:
    """The text of a good answer."""
    answer = {"check": check, "choice": choice, "confidence_percent": confidence_percent}
    return json.dumps(answer)


def well(pick: Callable[[Mapping[str, Any]], str], confidence_percent: int = 90) -> Behaviour:
    """Chooses what a function picks from the data of the question."""
    return says(lambda asked: chosen(asked.data["check"], pick(asked.data), confidence_percent))


def says(text: Callable[[Request], str]) -> Behaviour:
    """Answers with whatever text a function makes of the request."""
    return lambda asked: Answer(completion(text(asked)))


def sends(content: bytes, status: int = 200, **how: Any) -> Behaviour:
    """Sends any bytes: no JSON, half of one, a redirect, an error."""
    return lambda _asked: Answer(content, status, **how)


def refuses(forms: Sequence[str], behaviour: Behaviour, status: int = 400) -> Behaviour:
    """Knows no such forms of an answer, as many local servers do."""
    no = Answer(b'{"error": {"message": "response_format is not supported"}}', status)
    return lambda asked: no if asked.form in forms else behaviour(asked)


class FakeLLM:
    """A running endpoint.

    Attributes:
        behaviour: May be replaced while it runs.
        requests: Everything that was asked, in order.
        base_url: For the settings.
    """

    def __init__(self, behaviour: Behaviour) -> None:
        self.behaviour = behaviour
        self.requests: list[Request] = []
        self.base_url = ""
        self.stopped = threading.Event()


class _Listening(ThreadingHTTPServer):
    daemon_threads = True
    told: FakeLLM

    def handle_error(self, *_: Any) -> None:
        """A client that went away is what many tests are about."""


@contextlib.contextmanager
def serve(behaviour: Behaviour) -> Iterator[FakeLLM]:
    """An endpoint on an unused loopback port while the block lasts."""
    llm = FakeLLM(behaviour)
    listening = _Listening(("127.0.0.1", 0), _Handler)
    listening.told = llm
    llm.base_url = f"http://127.0.0.1:{listening.server_port}/v1"
    thread = threading.Thread(target=listening.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield llm
    finally:
        llm.stopped.set()
        listening.shutdown()
        listening.server_close()
        thread.join(10)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Listening

    def log_message(self, *_: Any) -> None:
        """Tests look at `FakeLLM.requests` instead."""

    def do_POST(self) -> None:
        """Note the request and answer as told."""
        self.close_connection = True
        length = min(int(self.headers.get("Content-Length", 0)), _LARGEST_REQUEST)
        body = json.loads(self.rfile.read(length) or b"{}")
        headers = {name.lower(): value for name, value in self.headers.items()}
        told = self.server.told
        told.requests.append(Request(self.path, headers, body))
        with contextlib.suppress(OSError):
            self._send(told.behaviour(told.requests[-1]))

    def _send(self, answer: Answer) -> None:
        if self.server.told.stopped.wait(answer.wait_s):
            return
        self.send_response(answer.status)
        headers = {"Content-Type": "application/json"} | dict(answer.headers)
        if not answer.endless:
            headers.setdefault("Content-Length", str(len(answer.content)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self._write(answer)
        while answer.endless and not self.server.told.stopped.is_set():
            self._write(answer)

    def _write(self, answer: Answer) -> None:
        if not answer.chunk_s:
            self.wfile.write(answer.content)
            return
        for byte in answer.content:
            self.wfile.write(bytes([byte]))
            if self.server.told.stopped.wait(answer.chunk_s):
                return
