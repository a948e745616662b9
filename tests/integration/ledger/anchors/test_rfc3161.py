"""RFC 3161 against real authorities on loopback: openssl signs, rfc3161-client verifies."""

import dataclasses
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reconciler.errors import EvidenceError, InputError, MachineError
from reconciler.ledger.anchors import rfc3161
from reconciler.ledger.anchors.model import Method
from reconciler.ledger.anchors.rfc3161 import Authority
from tests.support.anchor_notes import DIGEST, NOTE
from tests.support.loopback_http import Server, serve
from tests.support.rigs import rig
from tests.support.tsa import POLICY, Tsa, certified, missing

pytestmark = [pytest.mark.integration, pytest.mark.enable_socket]


@pytest.fixture(autouse=True)
def openssl() -> None:
    rig("time stamping authority", missing())


@pytest.fixture
def tsa(tmp_path: Path) -> Tsa:
    return Tsa(tmp_path / "alpha")


@pytest.fixture
def server(tsa: Tsa) -> Iterator[Server]:
    with serve(tsa.answer) as s:
        yield s


def stamped(tsa: Tsa, server: Server) -> bytes:
    return rfc3161.request(NOTE, authority=tsa.authority(server.url), timeout_s=10)


def test_a_note_is_stamped_and_proven_without_the_server(tsa: Tsa, server: Server) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    token = stamped(tsa, server)
    proof = rfc3161.verify(token, DIGEST, authority=tsa.authority())
    inaccuracy = timedelta(seconds=1.5)
    assert proof.not_after is not None
    assert before + inaccuracy <= proof.not_after <= datetime.now(UTC) + inaccuracy
    assert (proof.method, proof.authority) == (Method.RFC3161, "alpha")
    assert proof.detail.startswith("signed by alpha at 20")
    assert proof.detail.endswith(f"±1.5 s, serial 2, policy {POLICY}")


def test_only_the_digest_leaves_the_machine(tsa: Tsa, server: Server) -> None:
    stamped(tsa, server)
    ((_, _, query),) = server.requests
    assert DIGEST in query
    assert NOTE[:16] not in query


def test_what_is_pinned_beyond_the_root_must_fit(tsa: Tsa, server: Server) -> None:
    token = stamped(tsa, server)
    loose = tsa.authority()
    pins = {
        "certificate": (tsa.leaf.pem, certified("alpha tsa", tsa.root).pem),
        "subject": ("CN=alpha tsa", "CN=beta tsa"),
        "policy": (POLICY, "1.3.6.1.4.1.99999.2"),
    }
    for name, (right, wrong) in pins.items():
        fits = dataclasses.replace(loose, **{name: right})
        assert rfc3161.verify(token, DIGEST, authority=fits).proven
        differs = dataclasses.replace(loose, **{name: wrong})
        with pytest.raises(EvidenceError, match="does not verify"):
            rfc3161.verify(token, DIGEST, authority=differs)


def test_two_authorities_are_two_and_each_stands_alone(tsa: Tsa, tmp_path: Path) -> None:
    beta = Tsa(tmp_path / "beta", "beta")
    with serve(tsa.answer) as one, serve(beta.answer) as two:
        by_alpha, by_beta = stamped(tsa, one), stamped(beta, two)
    assert rfc3161.verify(by_alpha, DIGEST, authority=tsa.authority()).authority == "alpha"
    assert rfc3161.verify(by_beta, DIGEST, authority=beta.authority()).authority == "beta"
    with pytest.raises(EvidenceError):
        rfc3161.verify(by_alpha, DIGEST, authority=beta.authority())
    with pytest.raises(EvidenceError):
        rfc3161.verify(by_beta, DIGEST, authority=tsa.authority())


def test_an_intermediate_may_be_pinned_where_answers_do_not_bring_it(tmp_path: Path) -> None:
    root = certified("root", authority=True)
    middle = certified("middle", root, authority=True)
    tsa = Tsa(tmp_path / "deep", root=root, leaf=certified("deep tsa", middle))
    with serve(tsa.answer) as server:
        authority = dataclasses.replace(tsa.authority(server.url), intermediates=middle.pem)
        token = rfc3161.request(NOTE, authority=authority, timeout_s=10)
    assert rfc3161.verify(token, DIGEST, authority=authority).proven
    with pytest.raises(EvidenceError):
        rfc3161.verify(token, DIGEST, authority=tsa.authority())


@pytest.mark.parametrize("how", ["hang", "status", "redirect", "flood", "broken"])
def test_a_server_that_does_not_stamp_is_a_machine_error(
    tsa: Tsa, server: Server, how: str
) -> None:
    server.misbehave = how
    with pytest.raises(MachineError, match="alpha did not stamp"):
        rfc3161.request(NOTE, authority=tsa.authority(server.url), timeout_s=0.7)


def test_pinned_nonsense_is_an_input_error() -> None:
    good = certified("root", authority=True).pem
    for authority in (
        Authority("alpha", "https://a.invalid", b"no certificate"),
        Authority("alpha", "https://a.invalid", b""),
        Authority("alpha", "https://a.invalid", good, certificate=b"none"),
        Authority("alpha", "https://a.invalid", good, intermediates=b"none"),
        Authority("alpha", "https://a.invalid", good, policy="policy"),
    ):
        with pytest.raises(InputError, match="pinned for alpha"):
            rfc3161.verify(b"", DIGEST, authority=authority)
