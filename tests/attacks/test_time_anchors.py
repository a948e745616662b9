"""Forged, borrowed, damaged and useless proofs of time: each is refused, and says why."""

import dataclasses
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from opentimestamps.core.notary import BitcoinBlockHeaderAttestation, UnknownAttestation
from opentimestamps.core.op import OpAppend, OpHexlify, OpReverse, OpSHA1, OpSHA256
from opentimestamps.core.serialize import BytesSerializationContext
from opentimestamps.core.timestamp import DetachedTimestampFile, Timestamp
from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

from reconciler.errors import EvidenceError, MachineError
from reconciler.ledger.anchors import opentimestamps as ots
from reconciler.ledger.anchors import rfc3161
from reconciler.ledger.anchors.bitcoin_headers import HeaderFile, Network, read_headers
from reconciler.ledger.anchors.model import MAX_PROOF, TimeProof
from reconciler.ledger.anchors.ots_file import blocks, read_file, write_file
from tests.support.anchor_notes import DIGEST, NOTE
from tests.support.loopback_http import Server, serve
from tests.support.ots_calendar import EASY, Chain, calendar, mined
from tests.support.rigs import rig
from tests.support.tsa import DAY, Certified, Tsa, certified, missing

pytestmark = [pytest.mark.integration, pytest.mark.enable_socket]


@dataclass(frozen=True)
class Stamped:
    """A good proof, its chain, and the good headers."""

    proof: bytes
    chain: Chain
    height: int

    def headers(self, text: bytes | None = None) -> HeaderFile:
        data = self.chain.text() if text is None else text
        return read_headers(data, "headers", Network.TEST)

    def verify(self, proof: bytes, digest: bytes = DIGEST) -> TimeProof:
        return ots.verify(proof, digest, self.headers())


@pytest.fixture(scope="module")
def stamped() -> Stamped:
    chain = Chain()
    with calendar(chain) as (alice, server):
        pending = ots.submit(DIGEST, [server.url], timeout_s=5)
        height = alice.mine()
        proof = ots.upgrade(pending, calendars=[server.url], timeout_s=5)
    assert proof is not None
    return Stamped(proof, chain, height)


@pytest.fixture(scope="module")
def tsa(tmp_path_factory: pytest.TempPathFactory) -> Tsa:
    rig("time stamping authority", missing())
    return Tsa(tmp_path_factory.mktemp("tsa") / "alpha")


@pytest.fixture(scope="module")
def token(tsa: Tsa) -> bytes:
    with serve(tsa.answer) as server:
        return rfc3161.request(NOTE, authority=tsa.authority(server.url), timeout_s=10)


@pytest.fixture
def hostile() -> Iterator[Server]:
    with serve(lambda *_: (200, b"")) as server:
        yield server


class TestBitcoin:
    def test_other_data(self, stamped: Stamped) -> None:
        with pytest.raises(EvidenceError, match="proof is of the digest"):
            stamped.verify(stamped.proof, hashlib.sha256(b"forged").digest())

    def test_the_digest_inside_the_file_is_exchanged(self, stamped: Stamped) -> None:
        forged = hashlib.sha256(b"forged").digest()
        with pytest.raises(EvidenceError, match="does not fit the header of block"):
            stamped.verify(stamped.proof.replace(DIGEST, forged), forged)

    @pytest.mark.parametrize("on_top", range(6))
    def test_too_few_confirmations(self, stamped: Stamped, on_top: int) -> None:
        few = stamped.headers(stamped.chain.text(stamped.height, stamped.height + on_top))
        with pytest.raises(EvidenceError, match=f"has {on_top} headers on top, 6 are asked for"):
            ots.verify(stamped.proof, DIGEST, few)

    def test_confirmations_on_another_branch(self, stamped: Stamped) -> None:
        fork = Chain(stamped.height)
        for _ in range(7):
            fork.mine()
        text = stamped.chain.text(stamped.height, stamped.height) + fork.text(stamped.height + 1)
        with pytest.raises(EvidenceError, match="does not follow"):
            stamped.headers(text)

    def test_a_header_whose_merkle_root_was_exchanged(self, stamped: Stamped) -> None:
        forged = hashlib.sha256(b"forged").digest()
        line = stamped.chain.header(stamped.height)
        altered = line.serialize()[:36] + forged + line.serialize()[68:]
        text = stamped.chain.text().replace(line.serialize().hex().encode(), altered.hex().encode())
        with pytest.raises(
            EvidenceError, match=r"work for this header was not done|does not follow"
        ):
            stamped.headers(text)

    def test_a_chain_mined_for_the_purpose_is_not_the_main_network(self, stamped: Stamped) -> None:
        with pytest.raises(EvidenceError, match="too easy for the MAIN network"):
            read_headers(stamped.chain.text(), "headers")

    def test_one_easy_header_among_real_ones(self) -> None:
        vectors = Path(__file__).parents[1] / "vectors" / "anchors" / "bitcoin-800000.txt"
        lines = vectors.read_text().splitlines(keepends=True)
        real = read_headers(vectors.read_bytes(), "headers").at(800001)
        assert real is not None
        easy = mined(real.GetHash(), b"\x01" * 32, real.nTime, EASY, [])
        forged = f"800002 {easy.get_header().serialize().hex()}\n"
        with pytest.raises(EvidenceError, match=r"headers:3: .*too easy"):
            read_headers("".join([*lines[:2], forged]).encode(), "headers")

    def test_a_claim_about_another_block(self, stamped: Stamped) -> None:
        root = read_file(stamped.proof)
        forged = _rebuilt(root, lambda height: height + 1)
        with pytest.raises(EvidenceError, match=f"header of block {stamped.height + 1}"):
            stamped.verify(write_file(forged))

    def test_a_claim_without_a_way_to_the_block(self, stamped: Stamped) -> None:
        root = Timestamp(DIGEST)
        root.attestations.add(BitcoinBlockHeaderAttestation(stamped.height))
        with pytest.raises(EvidenceError, match="does not match merkleroot"):
            stamped.verify(write_file(root))

    def test_a_false_claim_beside_a_true_one_changes_nothing_and_is_said(
        self, stamped: Stamped
    ) -> None:
        root = read_file(stamped.proof)
        root.attestations.add(BitcoinBlockHeaderAttestation(stamped.height - 1))
        both = stamped.verify(write_file(root))
        assert both.not_after == stamped.verify(stamped.proof).not_after
        assert both.detail.endswith("1 other claims of the proof do not hold")

    @pytest.mark.filterwarnings("ignore:OpReverse may get removed")
    @pytest.mark.parametrize(
        ("operation", "name"),
        [(OpSHA1(), "sha1"), (OpReverse(), "reverse"), (OpHexlify(), "hexlify")],
    )
    def test_operations_that_open_other_ways(
        self, stamped: Stamped, operation: object, name: str
    ) -> None:
        root = read_file(stamped.proof)
        last = root.ops.add(operation)
        last.attestations.add(BitcoinBlockHeaderAttestation(1))
        with pytest.raises(EvidenceError, match=f"uses the operation {name}"):
            stamped.verify(write_file(root))

    def test_a_file_digest_of_another_kind(self) -> None:
        sha1 = Timestamp(DIGEST[:20])
        sha1.attestations.add(BitcoinBlockHeaderAttestation(1))
        context = BytesSerializationContext()
        DetachedTimestampFile(OpSHA1(), sha1).serialize(context)
        with pytest.raises(EvidenceError, match="not of a SHA-256 digest"):
            ots.state(context.getbytes())

    @pytest.mark.parametrize("height", [0, 2**31, 10**40])
    def test_heights_that_cannot_be(self, stamped: Stamped, height: int) -> None:
        root = Timestamp(DIGEST)
        root.attestations.add(BitcoinBlockHeaderAttestation(height))
        with pytest.raises(EvidenceError, match="height that cannot be"):
            stamped.verify(write_file(root))

    def test_a_witness_that_nobody_knows(self, stamped: Stamped) -> None:
        root = Timestamp(DIGEST)
        root.attestations.add(UnknownAttestation(b"unknown!", b"trust me"))
        with pytest.raises(EvidenceError, match="no attestation that this version knows"):
            stamped.verify(write_file(root))

    def test_a_tree_too_deep_or_too_large(self, stamped: Stamped) -> None:
        deep = stamped.proof[:65] + b"\x08" * 5000 + stamped.proof[65:]
        with pytest.raises(EvidenceError, match="not an OpenTimestamps proof"):
            stamped.verify(deep)
        with pytest.raises(EvidenceError, match="larger than"):
            stamped.verify(stamped.proof + b"\x00" * MAX_PROOF)

    def test_every_truncation_and_every_extension(self, stamped: Stamped) -> None:
        for size in range(len(stamped.proof)):
            with pytest.raises(EvidenceError):
                stamped.verify(stamped.proof[:size])
        for more in (b"\x00", b"\n", stamped.proof):
            with pytest.raises(EvidenceError, match="Trailing garbage"):
                stamped.verify(stamped.proof + more)

    def test_a_number_written_the_long_way(self, stamped: Stamped) -> None:
        assert stamped.proof[31:33] == b"\x01\x08"
        with pytest.raises(EvidenceError, match="not in the form that the library writes"):
            stamped.verify(stamped.proof[:31] + b"\x81\x00" + stamped.proof[32:])

    def test_every_byte_of_a_proof(self, stamped: Stamped) -> None:
        """Refused, or pending, or the very same proof by the very same way."""
        good = stamped.verify(stamped.proof)
        outcomes = {"refused": 0, "unproven": 0, "same": 0}
        for forged in _flips(stamped.proof, (0x01, 0x08, 0x80, 0xFF)):
            outcomes[_outcome(lambda f=forged: stamped.verify(f), good)] += 1
        assert outcomes["refused"] > 0.8 * sum(outcomes.values())
        assert outcomes["same"] > 0


class TestCalendars:
    @pytest.mark.parametrize(
        ("how", "message"),
        [
            ("hang", "no whole answer within 0.6 s"),
            ("drip", "no whole answer within 0.6 s"),
            ("trickle", "no whole answer within 0.6 s"),
            ("flood", "larger than 10000 bytes"),
            ("redirect", "answered with status 302"),
            ("status", "answered with status 503"),
            ("garbage", "not an OpenTimestamps proof"),
            ("broken", "RemoteProtocolError"),
            ("escape", "RemoteProtocolError"),
        ],
    )
    def test_a_calendar_that_misbehaves(self, hostile: Server, how: str, message: str) -> None:
        hostile.misbehave, hostile.elsewhere = how, hostile.url + "/lured"
        with pytest.raises(MachineError, match=message) as caught:
            ots.submit(DIGEST, [hostile.url], timeout_s=0.6)
        assert str(caught.value).isprintable()
        assert len(hostile.requests) == 1

    def test_an_answer_with_something_behind_it(self, hostile: Server) -> None:
        good = _answer(lambda stamp: stamp.attestations.add(BitcoinBlockHeaderAttestation(7)))
        hostile.answer = lambda _method, _path, body: (200, good(body) + b"\x00")
        with pytest.raises(MachineError, match="Trailing garbage"):
            ots.submit(DIGEST, [hostile.url], timeout_s=5)

    def test_an_answer_that_promises_nothing(self, hostile: Server) -> None:
        unknown = UnknownAttestation(b"unknown!", b"")
        good = _answer(lambda stamp: stamp.attestations.add(unknown))
        hostile.answer = lambda _method, _path, body: (200, good(body))
        with pytest.raises(MachineError, match="no attestation that this version knows"):
            ots.submit(DIGEST, [hostile.url], timeout_s=5)

    def test_an_answer_by_way_of_a_weak_hash(self, hostile: Server) -> None:
        claim = BitcoinBlockHeaderAttestation(7)
        weak = _answer(lambda stamp: stamp.ops.add(OpSHA1()).attestations.add(claim))
        hostile.answer = lambda _method, _path, body: (200, weak(body))
        with pytest.raises(MachineError, match="uses the operation sha1"):
            ots.submit(DIGEST, [hostile.url], timeout_s=5)

    def test_a_lying_calendar_is_found_by_the_auditor(
        self, hostile: Server, stamped: Stamped
    ) -> None:
        lie = _answer(
            lambda stamp: stamp.attestations.add(BitcoinBlockHeaderAttestation(stamped.height))
        )
        hostile.answer = lambda _method, _path, body: (200, lie(body))
        proof = ots.submit(DIGEST, [hostile.url], timeout_s=5)
        with pytest.raises(EvidenceError, match="does not fit the header"):
            stamped.verify(proof)


class TestAuthorities:
    def test_other_data(self, tsa: Tsa, token: bytes) -> None:
        with pytest.raises(EvidenceError, match="Mismatch between messages"):
            rfc3161.verify(token, hashlib.sha256(b"x").digest(), authority=tsa.authority())

    def test_another_root(self, token: bytes, tsa: Tsa) -> None:
        twin = certified("alpha root", authority=True)
        for roots, why in ((twin.pem, "signature failure"), (tsa.leaf.pem, "issuer certificate")):
            pinned = dataclasses.replace(tsa.authority(), roots=roots)
            with pytest.raises(EvidenceError, match=f"token of alpha does not verify: .*{why}"):
                rfc3161.verify(token, DIGEST, authority=pinned)

    @pytest.mark.parametrize(
        ("kind", "message"),
        [
            ("expired", "certificate has expired"),
            ("future", "certificate is not yet valid"),
            ("not for time stamping", "unsu(pported|itable) certificate purpose"),
            ("issued by no authority", "invalid CA certificate"),
        ],
    )
    def test_certificates_that_may_not_sign(
        self, tsa: Tsa, tmp_path: Path, kind: str, message: str
    ) -> None:
        forger = Tsa(tmp_path / "forger", "alpha", root=tsa.root, leaf=_bad_leaf(kind, tsa))
        with serve(forger.answer) as server, pytest.raises((EvidenceError, MachineError)) as caught:
            pinned = dataclasses.replace(tsa.authority(server.url), intermediates=tsa.leaf.pem)
            rfc3161.request(NOTE, authority=pinned, timeout_s=10)
        if isinstance(caught.value, EvidenceError):
            caught.match(message)
        else:
            # OpenSSL itself would not sign with it.
            assert kind == "not for time stamping"

    def test_an_old_answer_is_no_answer_to_a_new_question(self, tsa: Tsa, token: bytes) -> None:
        with serve(lambda *_: (200, token)) as server:
            authority = tsa.authority(server.url)
            with pytest.raises(EvidenceError, match="Nonce mismatch"):
                rfc3161.request(NOTE, authority=authority, timeout_s=10)

    def test_an_answer_for_other_data(self, tsa: Tsa) -> None:
        builder = TimestampRequestBuilder().data(b"forged").hash_algorithm(HashAlgorithm.SHA256)
        other = tsa.reply(builder.build().as_bytes())
        with serve(lambda *_: (200, other)) as server, pytest.raises(EvidenceError):
            rfc3161.request(NOTE, authority=tsa.authority(server.url), timeout_s=10)

    def test_a_digest_of_another_algorithm(self, tsa: Tsa) -> None:
        builder = TimestampRequestBuilder().data(NOTE).hash_algorithm(HashAlgorithm.SHA512)
        token = tsa.reply(builder.build().as_bytes())
        for digest in (hashlib.sha512(NOTE).digest(), DIGEST):
            with pytest.raises(EvidenceError, match="not named as SHA-256"):
                rfc3161.verify(token, digest, authority=tsa.authority())

    def test_a_refusal_is_no_token(self, tsa: Tsa) -> None:
        refusal = tsa.reply(b"0\x03\x02\x01\x01")
        with pytest.raises(EvidenceError, match=r"the authority refused|damaged"):
            rfc3161.verify(refusal, DIGEST, authority=tsa.authority())

    @pytest.mark.parametrize("data", [b"", b"\x00", b"0\x80", b"0\x03\x02\x01\x00", b"\xff" * 99])
    def test_bytes_that_are_nothing(self, tsa: Tsa, data: bytes) -> None:
        with pytest.raises(EvidenceError):
            rfc3161.verify(data, DIGEST, authority=tsa.authority())

    def test_too_much(self, tsa: Tsa, token: bytes, hostile: Server) -> None:
        with pytest.raises(EvidenceError, match="larger than"):
            rfc3161.verify(token + b"\x00" * MAX_PROOF, DIGEST, authority=tsa.authority())
        hostile.answer = lambda *_: (200, b"\x00" * (MAX_PROOF + 1))
        with pytest.raises(MachineError, match="larger than"):
            rfc3161.request(NOTE, authority=tsa.authority(hostile.url), timeout_s=5)

    def test_every_truncation_and_every_extension(self, tsa: Tsa, token: bytes) -> None:
        authority = tsa.authority()
        for forged in (*(token[:size] for size in range(len(token))), token + b"\x00", token * 2):
            with pytest.raises(EvidenceError):
                rfc3161.verify(forged, DIGEST, authority=authority)

    def test_every_byte_of_a_token(self, tsa: Tsa, token: bytes) -> None:
        """Refused, or the very same time: a few bytes of CMS say nothing and are not signed."""
        authority = tsa.authority()
        good = rfc3161.verify(token, DIGEST, authority=authority)
        outcomes = {"refused": 0, "unproven": 0, "same": 0}
        for forged in _flips(token, (0x01, 0xFF)):
            check = lambda f=forged: rfc3161.verify(f, DIGEST, authority=authority)  # noqa: E731
            outcomes[_outcome(check, good)] += 1
        assert outcomes["unproven"] == 0
        assert outcomes["same"] < 0.02 * outcomes["refused"]


def _flips(good: bytes, masks: tuple[int, ...]) -> Iterator[bytes]:
    for at in range(len(good)):
        for mask in masks:
            forged = bytearray(good)
            forged[at] ^= mask
            yield bytes(forged)


def _outcome(check: Callable[[], TimeProof], good: TimeProof) -> str:
    try:
        proof = check()
    except EvidenceError:
        return "refused"
    if proof.proven:
        assert proof == good
        return "same"
    return "unproven"


def _rebuilt(stamp: Timestamp, change: Callable[[int], int]) -> Timestamp:
    made = Timestamp(stamp.msg)
    claims = [claim for message, claim in blocks(stamp) if message == stamp.msg]
    for claim in claims:
        if claim in stamp.attestations:
            made.attestations.add(BitcoinBlockHeaderAttestation(change(claim.height)))
    for operation, after in stamp.ops.items():
        made.ops[operation] = _rebuilt(after, change)
    return made


def _answer(finish: Callable[[Timestamp], object]) -> Callable[[bytes], bytes]:
    def written(message: bytes) -> bytes:
        root = Timestamp(message)
        finish(root.ops.add(OpAppend(b"x")).ops.add(OpSHA256()))
        context = BytesSerializationContext()
        root.serialize(context)
        return context.getbytes()

    return written


def _bad_leaf(kind: str, tsa: Tsa) -> Certified:
    now = datetime.now(UTC)
    if kind == "expired":
        return certified("alpha tsa", tsa.root, start=now - 9 * DAY, end=now - timedelta(hours=1))
    if kind == "future":
        return certified("alpha tsa", tsa.root, start=now + DAY, end=now + 9 * DAY)
    if kind == "not for time stamping":
        return certified("alpha tsa", tsa.root, stamping=False)
    return certified("alpha deputy", tsa.leaf)
