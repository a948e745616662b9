"""One request through the real openai client, against endpoints that keep no rule."""

import ipaddress
import json
import logging
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from reconciler.advise.answer import judge, text_of
from reconciler.advise.ask import Remote
from reconciler.advise.endpoint import Endpoint
from reconciler.advise.reply import NoReply, Reply
from reconciler.advise.wire import MAX_ANSWER
from reconciler.errors import InputError
from reconciler.guard.advice_budget import LEVELS, Level
from reconciler.testing.fake_llm import Answer, FakeLLM, completion, sends, serve, well
from tests.support import loopback_http
from tests.support.advising import make_question

pytestmark = [pytest.mark.integration, pytest.mark.enable_socket]

KEY = "sk-geheim-0123456789"
QUESTION = make_question()


@pytest.fixture
def llm() -> Iterator[FakeLLM]:
    with serve(well(lambda data: data["candidates"][0]["id"])) as running:
        yield running


def endpoint(url: str, **changes: Any) -> Endpoint:
    fields: dict[str, Any] = {"kind": "compatible", "base_url": url, "model": "m", "key": KEY}
    return Endpoint(**(fields | changes))


def ask(
    url: str, level: Level = "json-schema", timeout_s: float = 10.0, **changes: Any
) -> Reply | NoReply:
    return Remote(endpoint(url, **changes)).ask(QUESTION, level, timeout_s)


@pytest.mark.parametrize(
    ("changes", "path", "header", "sent"),
    [
        ({}, "/v1/chat/completions", "authorization", {"temperature": 0, "max_tokens": 200}),
        ({"key": None}, "/v1/chat/completions", None, {"temperature": 0}),
        ({"kind": "openai"}, "/v1/chat/completions", "authorization", {"store": False}),
        (
            {"kind": "azure", "deployment": "dep", "api_version": "2024-10-21"},
            "/v1/openai/deployments/dep/chat/completions?api-version=2024-10-21",
            "api-key",
            {"max_completion_tokens": 2000},
        ),
    ],
    ids=["compatible", "keyless", "openai", "azure"],
)
def test_every_kind_of_endpoint_is_asked_its_way(
    llm: FakeLLM,
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, Any],
    path: str,
    header: str | None,
    sent: dict[str, Any],
) -> None:
    for name in (
        "OPENAI_API_KEY",
        "OPENAI_ORG_ID",
        "AZURE_OPENAI_API_KEY",
        "AZURE_OPENAI_AD_TOKEN",
    ):
        monkeypatch.setenv(name, "of-the-environment")
    for name in ("OPENAI_BASE_URL", "HTTP_PROXY", "ALL_PROXY", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")

    reply = ask(llm.base_url, **changes)

    assert isinstance(reply, Reply)
    assert judge(text_of(reply.content), QUESTION, 60).result == "accepted"
    (request,) = llm.requests
    assert request.path == path
    assert sent.items() <= request.body.items()
    assert [message["content"] for message in request.body["messages"]] == [
        QUESTION.system,
        QUESTION.user,
    ]
    carried = {name for name, value in request.headers.items() if KEY in value}
    assert carried == ({header} if header else set())
    assert "of-the-environment" not in str(request.headers)
    assert set(request.headers) <= {
        "host", "connection", "accept", "accept-encoding", "content-type", "content-length",
        "user-agent", "authorization", "api-key",
    }, "a word about this machine left the house"  # fmt: skip
    assert request.headers["user-agent"] == "reconciler"


def test_the_form_of_the_answer_is_asked_for_more_or_less_strictly(llm: FakeLLM) -> None:
    for level in LEVELS:
        ask(llm.base_url, level)

    asked = [request.body.get("response_format") for request in llm.requests]
    schema = json.loads(json.dumps(QUESTION.schema))
    assert asked == [
        {
            "type": "json_schema",
            "json_schema": {"name": "choice", "strict": True, "schema": schema},
        },
        {"type": "json_object", "schema": schema},
        {"type": "json_object"},
        None,
    ]


@pytest.mark.parametrize(
    "answer",
    [
        Answer(b"x" * 200, chunk_s=0.2),
        Answer(b'{"a":' * 10, chunk_s=0.05, endless=True),
        Answer(b"x", wait_s=30),
        Answer(b"", headers={"Content-Length": "9"}),
    ],
    ids=["drips", "drips for ever", "says nothing", "announces and waits"],
)
def test_no_endpoint_outlives_the_time_limit(llm: FakeLLM, answer: Answer) -> None:
    llm.behaviour = lambda _asked: answer
    begun = time.monotonic()

    reply = ask(llm.base_url, timeout_s=0.7)

    assert time.monotonic() - begun < 3
    assert reply in {NoReply("timeout"), NoReply("unreachable")}
    assert len(llm.requests) == 1, "asked more than once"


@pytest.mark.parametrize("how", ["hang", "drip", "trickle", "flood", "broken", "escape"])
def test_whatever_a_server_does_is_no_answer(how: str) -> None:
    with loopback_http.serve(lambda *_: (200, b"")) as server:
        server.misbehave = how
        begun = time.monotonic()
        reply = ask(f"{server.url}/v1", timeout_s=0.7)

    assert isinstance(reply, NoReply)
    assert time.monotonic() - begun < 3
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "answer",
    [
        Answer(b"x" * (MAX_ANSWER + 1)),
        Answer(b"x" * 65536, endless=True),
        Answer(b"\x1f\x8b" + b"\x00" * 100, headers={"Content-Encoding": "gzip"}),
        Answer(b"x", headers={"X-Long": "y" * 200_000}),
    ],
    ids=["too long", "without end", "compressed", "huge header"],
)
def test_a_body_is_read_only_so_far(llm: FakeLLM, answer: Answer) -> None:
    llm.behaviour = lambda _asked: answer
    assert ask(llm.base_url, timeout_s=5) == NoReply("unreachable")


@pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 401, 404, 409, 429, 500, 503])
def test_an_error_is_an_answer_and_is_not_asked_again(llm: FakeLLM, status: int) -> None:
    headers = {"Location": f"{llm.base_url}/else", "Retry-After": "0", "X-Should-Retry": "true"}
    llm.behaviour = sends(b"no", status, headers=headers)

    reply = ask(llm.base_url)

    assert isinstance(reply, Reply)
    assert reply.status == status
    assert reply.refuses_form == (status in {400, 500})
    assert len(llm.requests) == 1


def test_who_does_not_listen_is_unreachable(llm: FakeLLM) -> None:
    port = int(llm.base_url.rpartition(":")[2].partition("/")[0])
    assert ask("http://127.0.0.1:1/v1") == NoReply("unreachable")
    assert ask(f"https://127.0.0.1:{port}/v1") == NoReply("unreachable"), "plain HTTP behind https"


def test_the_key_is_in_no_log_and_no_answer(
    llm: FakeLLM, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    said = [ask(llm.base_url), ask("http://127.0.0.1:1/v1")]
    llm.behaviour = sends(KEY.encode(), 401)
    assert ask(llm.base_url) == Reply(401, KEY.encode())

    assert caplog.records, "nothing was logged, so nothing was looked at"
    out, err = capfd.readouterr()
    assert KEY not in caplog.text + out + err + repr(said) + repr(endpoint(llm.base_url))


def test_a_certificate_counts_only_with_its_authority(tmp_path: Path) -> None:
    served, authority = loopback_certificate(tmp_path)
    content = completion("so")
    with loopback_http.serve(lambda *_: (200, content), certificate=str(served)) as server:
        url = f"{server.url}/v1"
        assert ask(url) == NoReply("unreachable")
        assert server.requests == [], "the question left before the server was known"
        assert ask(url, ca_file=authority) == Reply(200, content)


@pytest.mark.parametrize("text", [None, "no certificate\n"])
def test_a_file_of_certificates_that_is_none_is_an_error(tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "ca.pem"
    if text is not None:
        file.write_text(text)
    with pytest.raises(InputError, match=r"advise\.ca_file"):
        ask("https://127.0.0.1:1/v1", ca_file=file)


def loopback_certificate(directory: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 with its key, and what it leads to: itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    alone = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    pem = alone.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    served, authority = directory / "server.pem", directory / "ca.pem"
    served.write_bytes(private + pem)
    authority.write_bytes(pem)
    return served, authority
