"""The client against endpoints that hang, lie or send elsewhere: bounded, and nothing leaks."""

import logging
import socket
import ssl
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization

from reconciler.errors import Busy, EvidenceError, InputError, MachineError
from reconciler.ledger.worm.nouns import MAX_OBJECT
from reconciler.ledger.worm.refused import StoreRefused
from reconciler.ledger.worm.settings import Limits, StoreSettings
from reconciler.ledger.worm.store import WormStore
from tests.support.certificates import Issuer
from tests.support.hostile_s3 import Answer, hostile_s3, reply

pytestmark = [pytest.mark.integration, pytest.mark.enable_socket]

SECRET = "wJalrXUtnFEMIexampleSecret"
UNTIL = datetime(2033, 1, 1, tzinfo=UTC)
LIMITS = Limits(connect_s=0.3, read_s=0.3, total_s=0.8, attempts=2)


def store(tmp_path: Path, endpoint: str, **changes: Any) -> WormStore:
    for name, text in (("id", "AKIAEXAMPLE"), ("secret", SECRET)):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o600)
    given: dict[str, Any] = {"region": "us-east-1", "prefix": "p/", "limits": LIMITS, **changes}
    paths = {"access_key_file": tmp_path / "id", "secret_key_file": tmp_path / "secret"}
    settings = StoreSettings(endpoint=endpoint, bucket="evidence", **paths, **given)
    return WormStore(settings)


def hang(connection: socket.socket, ended: Event) -> None:
    ended.wait(60)


def drip(connection: socket.socket, ended: Event) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Never: ")
    while not ended.wait(0.05):
        connection.sendall(b"x")


def flood(connection: socket.socket, ended: Event) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\n\r\n")
    while not ended.is_set():
        connection.sendall(b"<x>" * 1024 * 1024)


@pytest.mark.parametrize("answer", [hang, drip], ids=["hang", "drip"])
def test_an_endpoint_that_hangs_or_drips_costs_bounded_time(tmp_path: Path, answer: Answer) -> None:
    with hostile_s3(answer) as server:
        bucket = store(tmp_path, server.endpoint)
        begun = time.monotonic()
        with pytest.raises(MachineError) as failed:
            bucket.check()
        assert time.monotonic() - begun < 5, "limits are 0.8 s, and the time to make a client"
        assert failed.value.hint


def test_an_endpoint_that_is_not_there_is_named_and_costs_bounded_time(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    begun = time.monotonic()
    with pytest.raises(MachineError, match="cannot see the versioning of the bucket: Endpoint"):
        store(tmp_path, f"http://127.0.0.1:{port}").check()
    assert time.monotonic() - begun < 5


def test_an_answer_without_end_is_cut_off(tmp_path: Path) -> None:
    with hostile_s3(flood) as server:
        bucket = store(tmp_path, server.endpoint, limits=Limits(1, 2, 10, 1))
        with pytest.raises(MachineError, match="more than was asked for"):
            bucket.versions("p/")


def test_an_object_is_read_no_further_than_it_should_be(tmp_path: Path) -> None:
    long = f"HTTP/1.1 200 OK\r\nContent-Length: {MAX_OBJECT * 9}\r\n\r\n".encode() + b"x" * 4096
    with hostile_s3(lambda connection, _: connection.sendall(long)) as server:
        data = store(tmp_path, server.endpoint).read("p/a", "v1", 10)
    assert data == b"x" * 11


def test_a_redirection_takes_the_credentials_nowhere(tmp_path: Path) -> None:
    answer = [reply("500 No")]
    with hostile_s3(reply("200 OK")) as elsewhere, hostile_s3(lambda *c: answer[0](*c)) as server:
        body = (
            "<Error><Code>PermanentRedirect</Code><Bucket>evidence</Bucket>"
            f"<Endpoint>127.0.0.1:{elsewhere.port}</Endpoint></Error>"
        )
        headers = (f"Location: {elsewhere.endpoint}/x", "x-amz-bucket-region: eu-evil-1")
        bucket = store(tmp_path, server.endpoint)
        for status in ("301 Moved", "302 Found", "307 Temporary Redirect", "400 Bad"):
            answer[0] = reply(status, body.encode(), *headers)
            with pytest.raises(MachineError):
                bucket.check()
        assert len(server.requests) >= 4
        assert elsewhere.requests == []


def test_the_environment_and_home_directory_decide_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home" / ".aws"
    home.mkdir(parents=True)
    (home / "config").write_text("[default]\nregion = eu-evil-1\nca_bundle = /nowhere\n")
    (home / "credentials").write_text("[default]\naws_access_key_id = AKIAEVIL\n")
    with hostile_s3(reply("500 No")) as evil, hostile_s3(reply("403 No")) as server:
        variables = {
            "HOME": str(tmp_path / "home"),
            "AWS_PROFILE": "evil",
            "AWS_ACCESS_KEY_ID": "AKIAEVIL",
            "AWS_SECRET_ACCESS_KEY": "evil",
            "AWS_SESSION_TOKEN": "evil",
            "AWS_ENDPOINT_URL": evil.endpoint,
            "AWS_ENDPOINT_URL_S3": evil.endpoint,
            "AWS_DEFAULT_REGION": "eu-evil-1",
            "AWS_MAX_ATTEMPTS": "50",
            "AWS_CA_BUNDLE": "/nowhere",
            "HTTP_PROXY": evil.endpoint,
            "http_proxy": evil.endpoint,
            "ALL_PROXY": evil.endpoint,
        }
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(StoreRefused):
            store(tmp_path, server.endpoint).check()
        assert evil.requests == []
        asked = server.requests[0]
    assert b"Credential=AKIAEXAMPLE/" in asked
    assert b"/us-east-1/s3/" in asked
    assert b"evil" not in asked.lower()


def test_secrets_are_in_no_log_no_message_and_no_request(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    body = f"<Error><Code>SignatureDoesNotMatch</Code><Message>{'M' * 900}</Message></Error>"
    with hostile_s3(reply("403 Forbidden", body.encode())) as server:
        bucket = store(tmp_path, server.endpoint)
        with pytest.raises(MachineError) as refused:
            bucket.put("p/a", b"evidence", UNTIL)
        heard = b"".join(server.requests)
    told = caplog.text + repr(bucket.settings) + str(refused.value) + refused.value.hint
    assert SECRET not in told
    assert SECRET.encode() not in heard
    assert "MMMM" not in str(refused.value)
    assert "credential files" in refused.value.hint


def test_a_code_of_the_stores_own_making_is_not_repeated(tmp_path: Path) -> None:
    body = b"<Error><Code>Jane Patient called</Code></Error>"
    with hostile_s3(reply("400 Bad", body)) as server, pytest.raises(StoreRefused) as refused:
        store(tmp_path, server.endpoint).check()
    assert "without a code, HTTP status 400" in str(refused.value)
    assert "Jane" not in str(refused.value)


def test_a_conflict_is_tried_again_later_and_no_other_refusal_is_taken_for_one(
    tmp_path: Path,
) -> None:
    answer = [b""]
    with hostile_s3(lambda *c: reply("409 Conflict", answer[0])(*c)) as server:
        bucket = store(tmp_path, server.endpoint)
        answer[0] = b"<Error><Code>ConditionalRequestConflict</Code></Error>"
        with pytest.raises(Busy, match="somebody is writing p/a at this moment"):
            bucket.put("p/a", b"evidence", UNTIL)
        answer[0] = b"<Error><Code>InvalidBucketState</Code></Error>"
        with pytest.raises(StoreRefused, match="InvalidBucketState, HTTP status 409"):
            bucket.put("p/a", b"evidence", UNTIL)


ODD = {
    "empty": b"",
    "no-xml": b"{}",
    "other-xml": b"<x/>",
    "half": b"<ListVersionsResult><Version><Key>p/a",
    "no-key": b"<ListVersionsResult><Version><VersionId>1</VersionId></Version>"
    b"</ListVersionsResult>",
    "no-date": b"<ListVersionsResult><Version><Key>p/a</Key><Size>1</Size><LastModified>soon"
    b"</LastModified></Version></ListVersionsResult>",
    "no-size": b"<ListVersionsResult><Version><Key>p/a</Key><Size>many</Size></Version>"
    b"</ListVersionsResult>",
    "entity": b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><ListVersionsResult>'
    b"<Version><Key>p/&a;</Key></Version></ListVersionsResult>",
    "laughs": b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
    b"]><ListVersionsResult><Version><Key>p/&b;</Key></Version></ListVersionsResult>",
}


def test_an_answer_that_is_no_listing_proves_nothing(tmp_path: Path) -> None:
    current = [b""]
    with hostile_s3(lambda *c: reply("200 OK", current[0])(*c)) as server:
        bucket = store(tmp_path, server.endpoint, limits=Limits(0.5, 0.5, 5, 1))
        for name, body in ODD.items():
            current[0] = body
            with pytest.raises((MachineError, EvidenceError)) as failed:
                pytest.fail(f"{name}: {bucket.put('p/a', b'evidence', UNTIL)}")
            assert failed.value.hint, name
            with pytest.raises((MachineError, EvidenceError)):
                pytest.fail(f"{name}: {bucket.check()}")
            assert _lock(bucket) is None, name


def _lock(bucket: WormStore) -> object:
    try:
        return bucket.lock("p/a", "1")
    except (MachineError, EvidenceError):
        return None


def test_a_certificate_of_another_authority_is_refused(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    root = Issuer.root("other", now - timedelta(days=1), now + timedelta(days=1))
    key = root.key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (tmp_path / "server.pem").write_bytes(key + root.pem.encode())
    trusted = Issuer.root("trusted", now - timedelta(days=1), now + timedelta(days=1))
    (tmp_path / "ca.pem").write_text(trusted.pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem")
    with hostile_s3(reply("200 OK"), context) as server:
        endpoint = f"https://127.0.0.1:{server.port}"
        for changes in ({}, {"ca_file": tmp_path / "ca.pem"}):
            with pytest.raises(MachineError, match="SSLError"):
                store(tmp_path, endpoint, **changes).check()
        assert server.requests == []


def test_certificates_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="are not there"):
        store(tmp_path, "https://127.0.0.1:1", ca_file=tmp_path / "ca.pem").check()
