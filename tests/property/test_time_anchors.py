"""Whatever a stranger sends as a proof is refused or means what the good one means."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentimestamps.core.timestamp import Timestamp
from opentimestamps.timestamp import nonce_timestamp

from reconciler.errors import EvidenceError
from reconciler.ledger.anchors import opentimestamps as ots
from reconciler.ledger.anchors import rfc3161
from reconciler.ledger.anchors.bitcoin_headers import Network, read_headers
from reconciler.ledger.anchors.ots_file import read_answer, write_file
from tests.support.anchor_notes import DIGEST
from tests.support.ots_calendar import Calendar, Chain
from tests.support.tsa import certified

ROOT = rfc3161.Authority("alpha", "https://a.invalid", certified("root", authority=True).pem)


def _proof() -> tuple[bytes, Chain]:
    chain = Chain()
    calendar = Calendar(chain)
    calendar.url = "https://calendar.invalid"
    root = Timestamp(DIGEST)
    commitment = nonce_timestamp(root)
    _, answer = calendar.answer("POST", "/digest", commitment.msg)
    commitment.merge(read_answer(answer, commitment.msg))
    ((promised, _),) = list(root.all_attestations())
    calendar.mine()
    _, answer = calendar.answer("GET", f"/timestamp/{promised.hex()}", b"")
    _leaf(commitment).merge(read_answer(answer, promised))
    return write_file(root), chain


def _leaf(stamp: Timestamp) -> Timestamp:
    return _leaf(next(iter(stamp.ops.values()))) if stamp.ops else stamp


PROOF, CHAIN = _proof()
HEADERS = read_headers(CHAIN.text(), "headers", Network.TEST)
GOOD = ots.verify(PROOF, DIGEST, HEADERS)


@given(st.binary(max_size=300))
def test_bytes_that_are_nothing_are_refused(data: bytes) -> None:
    for proof in (data, PROOF[:31] + data, PROOF[:65] + data):
        with pytest.raises(EvidenceError):
            ots.verify(proof, DIGEST, HEADERS)
    with pytest.raises(EvidenceError):
        rfc3161.verify(data, DIGEST, authority=ROOT)


@given(
    st.lists(
        st.tuples(
            st.integers(0, len(PROOF) - 1),
            st.integers(0, 40),
            st.one_of(
                st.binary(max_size=40),
                st.sampled_from(
                    [b"\x00", b"\x08", b"\xf0", b"\xf2", b"\xf3", b"\xff", b"\xff\x00"]
                ),
                st.integers(0, len(PROOF)).map(lambda at: PROOF[at : at + 40]),
            ),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_a_proof_that_was_edited_is_refused_or_proves_no_more(
    edits: list[tuple[int, int, bytes]],
) -> None:
    data = PROOF
    for at, cut, put in edits:
        data = data[:at] + put + data[at + cut :]
    try:
        proof = ots.verify(data, DIGEST, HEADERS)
    except EvidenceError:
        return
    assert proof.not_after in (None, GOOD.not_after)
