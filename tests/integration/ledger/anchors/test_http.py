"""Limits towards strangers, against real servers that keep none."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reconciler.errors import InputError
from reconciler.ledger.anchors.http import NoReply, Question, Reply, ask, check_url
from tests.support.certificates import Issuer
from tests.support.loopback_http import Server, serve

pytestmark = [pytest.mark.integration, pytest.mark.enable_socket]


@pytest.fixture
def server() -> Iterator[Server]:
    with serve(
        lambda method, path, body: (200, b"%s %s " % (method.encode(), path.encode()) + body)
    ) as s:
        yield s


def asked(url: str, *, max_bytes: int = 1000, timeout_s: float = 5.0) -> Reply | NoReply:
    (reply,) = ask([Question(url, b"body")], max_bytes=max_bytes, timeout_s=timeout_s)
    return reply


def test_answers_come_in_the_order_of_the_questions(server: Server) -> None:
    questions = [Question(f"{server.url}/{n}", b"x" if n % 2 else None) for n in range(6)]
    replies = ask(questions, max_bytes=100, timeout_s=5)
    assert replies == [
        Reply(200, b"%s /%d %s" % (*((b"POST", n, b"x") if n % 2 else (b"GET", n, b"")),))
        for n in range(6)
    ]


@pytest.mark.parametrize("how", ["hang", "drip", "trickle"])
def test_a_slow_server_costs_the_time_limit_and_no_more(server: Server, how: str) -> None:
    server.misbehave = how
    start = time.monotonic()
    assert asked(server.url, timeout_s=0.5) == NoReply("no whole answer within 0.5 s")
    assert 0.4 < time.monotonic() - start < 5


def test_one_slow_server_does_not_hold_up_the_others(server: Server) -> None:
    server.misbehave = "hang"
    with serve(lambda *_: (200, b"fine")) as other:
        questions = [Question(server.url), Question(other.url)]
        slow, good = ask(questions, max_bytes=100, timeout_s=0.7)
    assert good == Reply(200, b"fine")
    assert isinstance(slow, NoReply)


def test_an_answer_without_end_is_cut_at_the_limit(server: Server) -> None:
    server.misbehave = "flood"
    assert asked(server.url) == NoReply("answer is larger than 1000 bytes")


def test_the_limit_is_met_exactly(server: Server) -> None:
    server.answer = lambda *_: (200, b"x" * 1000)
    assert asked(server.url) == Reply(200, b"x" * 1000)
    assert asked(server.url, max_bytes=999) == NoReply("answer is larger than 999 bytes")


def test_a_redirect_is_not_followed(server: Server) -> None:
    server.misbehave = "redirect"
    with serve(lambda *_: (200, b"lured")) as other:
        server.elsewhere = other.url
        assert asked(server.url) == Reply(302, b"")
        assert other.requests == []


def test_proxies_of_the_environment_are_not_used(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert isinstance(asked(server.url), Reply)


def test_a_broken_answer_is_a_reason_and_not_an_exception(server: Server) -> None:
    server.misbehave = "broken"
    reply = asked(server.url)
    assert isinstance(reply, NoReply)
    assert "RemoteProtocolError" in reply.reason


def test_nobody_there_is_a_reason(server: Server) -> None:
    with serve(lambda *_: (200, b"")) as gone:
        url = gone.url
    reply = asked(url)
    assert isinstance(reply, NoReply)
    assert "ConnectError" in reply.reason


def test_what_a_server_says_cannot_reach_the_terminal(server: Server) -> None:
    server.misbehave = "escape"
    reply = asked(server.url)
    assert isinstance(reply, NoReply)
    assert "[31mHTTP" in reply.reason
    assert reply.reason.isprintable()


def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    root = Issuer.root("127.0.0.1", now - timedelta(days=1), now + timedelta(days=1))
    pem = tmp_path / "server.pem"
    from cryptography.hazmat.primitives import serialization

    key = root.key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    pem.write_bytes(key + root.pem.encode())
    with serve(lambda *_: (200, b"secret"), certificate=str(pem)) as server:
        reply = asked(server.url)
        assert server.requests == []
    assert isinstance(reply, NoReply)
    assert "CERTIFICATE_VERIFY_FAILED" in reply.reason


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://",
        "http://tsa.example/",
        "http://localhost:80/",
        "http://127.0.0.1.example/",
        "http://127.0.0.2/",
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "https://user@tsa.example/",
        "https://user:secret@tsa.example/",
        "https://tsa.example/?query",
        "https://tsa.example/#fragment",
        "https://tsa.example:port/",
        "https://[::1/",
        "//tsa.example/",
        "https://\x00/",
    ],
)
def test_an_address_that_must_not_be_asked(url: str) -> None:
    with pytest.raises(InputError, match="address"):
        check_url(url)
    with pytest.raises(InputError, match="address"):
        ask([Question(url)], max_bytes=1, timeout_s=1)


@pytest.mark.parametrize(
    "url", ["https://tsa.example", "https://tsa.example:8443/a/b", "http://[::1]:8080/tsr"]
)
def test_an_address_that_may_be_asked(url: str) -> None:
    assert check_url(url) == url
