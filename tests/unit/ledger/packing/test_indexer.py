"""Reading packs that somebody prepared: each costs an error, and no more than its limits."""

import hashlib
import zlib

import pytest

from reconciler.errors import EvidenceError
from reconciler.evidence.source import object_id
from reconciler.ledger.packing.form import (
    NAMED_DELTA,
    OFFSET_DELTA,
    encode_index,
    entry_head,
    id_at,
    number,
    pack_header,
    place,
)
from reconciler.ledger.packing.indexer import Limits, index_pack

TEXT = b"line of a file that is long enough\n" * 3
TEXT_ID = bytes.fromhex(object_id("blob", TEXT))
GROWN = TEXT + b"!"
GROWN_ID = bytes.fromhex(object_id("blob", GROWN))
GROWTH = number(len(TEXT)) + number(len(GROWN)) + bytes((0x90, len(TEXT))) + b"\x01!"


def pack(*entries: bytes, count: int | None = None, tail: bytes = b"") -> bytes:
    body = pack_header(len(entries) if count is None else count) + b"".join(entries) + tail
    return body + hashlib.sha1(body).digest()


def whole(raw: bytes = TEXT, kind: int = 3) -> bytes:
    return entry_head(kind, len(raw)) + zlib.compress(raw)


def named(base: bytes, delta: bytes = GROWTH) -> bytes:
    return entry_head(NAMED_DELTA, len(delta)) + base + zlib.compress(delta)


def after(back: int, delta: bytes = GROWTH) -> bytes:
    return entry_head(OFFSET_DELTA, len(delta), back) + zlib.compress(delta)


def grown(times: int) -> bytes:
    """A chain: each object is the one before it and one more byte."""
    entries = [whole()]
    for size in range(len(TEXT), len(TEXT) + times):
        delta = number(size) + number(size + 1) + bytes((0xB0, size & 255, size >> 8)) + b"\x01!"
        entries.append(after(len(entries[-1]), delta))
    return pack(*entries)


def ids(data: bytes) -> list[bytes]:
    return [id_at(one) for one in index_pack(data).places]


def test_deltas_of_what_is_before_behind_and_outside() -> None:
    assert ids(pack(whole(), after(len(whole())))) == [TEXT_ID, GROWN_ID]
    assert ids(pack(named(TEXT_ID), whole())) == [GROWN_ID, TEXT_ID]
    twice = number(len(GROWN)) + number(len(GROWN) + 1) + bytes((0x90, len(GROWN))) + b"\x01?"
    thrice = object_id("blob", GROWN + b"?")
    backwards = pack(named(GROWN_ID, twice), named(TEXT_ID), whole())
    assert ids(backwards) == [bytes.fromhex(thrice), GROWN_ID, TEXT_ID]
    upon_a_waiting_one = pack(named(TEXT_ID), after(len(named(TEXT_ID)), twice), whole())
    assert ids(upon_a_waiting_one) == [GROWN_ID, bytes.fromhex(thrice), TEXT_ID]
    thin = index_pack(pack(named(TEXT_ID)), {TEXT_ID: ("blob", TEXT)}.get)
    assert ([id_at(one) for one in thin.places], thin.bases) == ([GROWN_ID], [TEXT_ID])


def test_a_chain_as_long_as_git_makes_them_needs_no_recursion() -> None:
    assert len(set(ids(grown(4000)))) == 4001


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(b"", "version 2", id="nothing"),
        pytest.param(pack(whole()).replace(b"\0\0\0\2", b"\0\0\0\3", 1), "version 2", id="version"),
        pytest.param(pack(whole())[:-1] + b"x", "own checksum", id="trailer"),
        pytest.param(pack(whole(), tail=b"x"), "after its last", id="spare bytes"),
        pytest.param(pack(whole(), count=2), "cut off|inflate|type", id="one too few"),
        pytest.param(pack(whole(), count=0), "after its last", id="one too many"),
        pytest.param(pack(whole(), whole()), "twice", id="the same object twice"),
        pytest.param(pack(whole(), after(1)), "no object before", id="base inside an object"),
        pytest.param(pack(after(4)), "no object before", id="base in the header"),
        pytest.param(pack(after(900)), "no object before", id="base before the file"),
        pytest.param(pack(named(TEXT_ID)), "not there", id="base is not there"),
        pytest.param(pack(named(GROWN_ID)), "not there", id="its own base"),
        pytest.param(pack(whole(b"x"), after(len(whole(b"x")))), "not fit", id="another base"),
    ],
)
def test_what_git_would_not_have_written(data: bytes, message: str) -> None:
    with pytest.raises(EvidenceError, match=message):
        index_pack(data)


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (Limits(objects=20), "objects, more than"),
        (Limits(size=100), "more than 100"),
        (Limits(depth=10), "too long a chain"),
        (Limits(work=2000), "more work"),
    ],
)
def test_each_limit_holds(limits: Limits, message: str) -> None:
    data = grown(30)
    assert len(index_pack(data).places) == 31
    with pytest.raises(EvidenceError, match=message):
        index_pack(data, None, limits)


def test_offsets_beyond_two_gigabytes_have_a_table_of_their_own() -> None:
    places = [place(bytes((first,)) * 20, 1, first << 30) for first in (1, 2, 3)]
    index = encode_index(places, bytes(20))
    small = index[8 + 1024 + 3 * 24 :][:12]
    assert small == b"\x40\0\0\0" + b"\x80\0\0\0" + b"\x80\0\0\1"
    assert index[8 + 1024 + 3 * 28 :][:16] == (2 << 30).to_bytes(8) + (3 << 30).to_bytes(8)
