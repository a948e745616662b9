"""What anchors are worth to an auditor, by what the auditor brings."""

import dataclasses
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.errors import EvidenceError
from reconciler.ledger.anchors import opentimestamps, rfc3161
from reconciler.ledger.anchors.bitcoin_headers import Network, read_headers
from reconciler.ledger.anchors.judge import Trust, judge
from reconciler.ledger.anchors.model import Anchor, AnchorState, Method
from tests.support.anchor_notes import DIGEST, NOTE, ots_anchor, tsa_anchor
from tests.support.loopback_http import serve
from tests.support.ots_calendar import Chain, calendar
from tests.support.rigs import rig
from tests.support.tsa import Tsa, missing

pytestmark = [pytest.mark.integration, pytest.mark.enable_socket]


@pytest.fixture(scope="module")
def alpha(tmp_path_factory: pytest.TempPathFactory) -> Tsa:
    rig("time stamping authority", missing())
    return Tsa(tmp_path_factory.mktemp("tsa") / "alpha")


@pytest.fixture
def pair() -> Iterator[tuple[Anchor, Anchor, Trust]]:
    """A pending and a complete anchor, and what proves the latter."""
    chain = Chain()
    with calendar(chain) as (alice, server):
        pending = opentimestamps.submit(DIGEST, [server.url], timeout_s=5)
        alice.mine()
        whole = opentimestamps.upgrade(pending, calendars=[server.url], timeout_s=5)
    assert whole is not None
    headers = read_headers(chain.text(), "headers", Network.TEST)
    yield ots_anchor(pending, AnchorState.PENDING), ots_anchor(whole), Trust(headers)


def test_pending_is_said_and_complete_is_proven(pair: tuple[Anchor, Anchor, Trust]) -> None:
    pending, whole, trust = pair
    assert judge(pending, NOTE, trust).detail.startswith("pending at http://127.0.0.1:")
    assert judge(whole, NOTE, trust).proven
    assert not judge(whole, NOTE, Trust()).proven


def test_an_entry_that_says_more_than_its_proof_is_false(
    pair: tuple[Anchor, Anchor, Trust],
) -> None:
    pending, whole, trust = pair
    more = dataclasses.replace(pending, state=AnchorState.COMPLETE)
    with pytest.raises(EvidenceError, match="says complete, its proof is pending"):
        judge(more, NOTE, trust)
    less = dataclasses.replace(whole, state=AnchorState.PENDING)
    with pytest.raises(EvidenceError, match="says pending, its proof is complete"):
        judge(less, NOTE, trust)
    other = dataclasses.replace(whole, authority="alpha")
    with pytest.raises(EvidenceError, match="lead to bitcoin, not to alpha"):
        judge(other, NOTE, trust)


def test_an_anchor_of_another_note_is_false_even_if_it_is_good(
    pair: tuple[Anchor, Anchor, Trust],
) -> None:
    _, whole, trust = pair
    with pytest.raises(EvidenceError, match="another note"):
        judge(whole, NOTE + b"\n", trust)
    moved = dataclasses.replace(whole, note_sha256="0" * 64)
    with pytest.raises(EvidenceError, match="another note"):
        judge(moved, NOTE, trust)


def test_an_authority_proves_what_its_certificates_allow(alpha: Tsa) -> None:
    with serve(alpha.answer) as server:
        token = rfc3161.request(NOTE, authority=alpha.authority(server.url), timeout_s=10)
    anchor = tsa_anchor(token)
    trust = Trust(authorities={"alpha": alpha.authority()})
    assert judge(anchor, NOTE, trust).proven
    unknown = judge(tsa_anchor(token, "beta"), NOTE, trust)
    assert not unknown.proven
    assert unknown.detail == "no certificates of beta are at hand"
    late = dataclasses.replace(anchor, state=AnchorState.PENDING)
    with pytest.raises(EvidenceError, match="never pending"):
        judge(late, NOTE, trust)


def test_a_proof_of_one_method_is_none_of_another(
    alpha: Tsa, pair: tuple[Anchor, Anchor, Trust]
) -> None:
    _, whole, trust = pair
    everything = dataclasses.replace(trust, authorities={"alpha": alpha.authority()})
    with pytest.raises(EvidenceError, match="not an RFC 3161 answer"):
        judge(tsa_anchor(whole.proof), NOTE, everything)
    with pytest.raises(EvidenceError, match="not an OpenTimestamps proof"):
        judge(ots_anchor(b"0\x03\x02\x01\x00"), NOTE, everything)


def test_without_a_trusted_root_sigstore_proves_nothing(pair: tuple[Anchor, Anchor, Trust]) -> None:
    _, whole, trust = pair
    signed = dataclasses.replace(whole, method=Method.SIGSTORE, authority="ci")
    proof = judge(signed, NOTE, trust)
    assert (proof.proven, proof.method) == (False, Method.SIGSTORE)


@pytest.mark.parametrize("library", ["opentimestamps", "rfc3161_client"])
def test_a_missing_library_stops_the_check_and_says_what_to_install(library: str) -> None:
    """In a fresh interpreter: what is imported once stays imported."""
    method = "opentimestamps" if library == "opentimestamps" else "rfc3161"
    code = f"""
import sys
sys.modules[{library!r}] = None
from reconciler.errors import MachineError
from reconciler.ledger.anchors.judge import Trust, judge
from reconciler.ledger.anchors.model import Anchor, AnchorState, CheckpointRef, Method
from reconciler.evidence.canonical import digest
anchor = Anchor(Method({method!r}), CheckpointRef(1, "a" * 64), digest(b"note"), "bitcoin",
                AnchorState.COMPLETE, b"proof")
try:
    judge(anchor, b"note", Trust())
except MachineError as error:
    print(error, "|", error.hint)
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        cwd=Path(__file__).parents[4],
    )
    assert library in done.stdout
    assert "is not installed here | pip install 'reconciler[anchors]'" in done.stdout
