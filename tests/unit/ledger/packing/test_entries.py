"""Entries of packs: what is written is read, and what is prepared is refused."""

import zlib

import pytest

from reconciler.errors import EvidenceError
from reconciler.ledger.packing.entries import read_entry, read_head
from reconciler.ledger.packing.form import NAMED_DELTA, OFFSET_DELTA, entry_head

TRAILER = bytes(20)
LIMIT = 1024 * 1024


def pack(entry: bytes) -> bytes:
    return bytes(12) + entry + TRAILER


@pytest.mark.parametrize("size", [0, 1, 15, 16, 2047, 2048, 70_000])
def test_an_object(size: int) -> None:
    raw = bytes(size)
    whole = pack(entry_head(3, size) + zlib.compress(raw))
    entry = read_entry(whole, 12, LIMIT)
    assert (entry.number, entry.base, entry.data) == (3, None, raw)
    assert entry.end == len(whole) - 20


@pytest.mark.parametrize("back", [1, 127, 128, 16_511, 16_512, 2_113_663, 2_113_664, 1 << 31])
def test_a_delta_of_an_offset(back: int) -> None:
    head = entry_head(OFFSET_DELTA, 3, back)
    padding = bytes(8)
    found = read_head(padding + head + bytes(40), 8)
    assert (found.number, found.size, found.base) == (OFFSET_DELTA, 3, 8 - back)
    assert found.length == len(head)


def test_a_delta_of_a_name() -> None:
    entry = read_entry(
        pack(entry_head(NAMED_DELTA, 3) + b"n" * 20 + zlib.compress(b"abc")), 12, LIMIT
    )
    assert (entry.base, entry.data) == (b"n" * 20, b"abc")


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (b"", "cut off"),
        (b"\xb0", "cut off"),
        (b"\xb0" + b"\xff" * 40, "cut off"),
        (entry_head(NAMED_DELTA, 3) + b"n" * 19, "cut off"),
        (entry_head(OFFSET_DELTA, 3) + b"\xff", "cut off"),
        (entry_head(5, 3) + zlib.compress(b"abc"), "of type 5"),
        (entry_head(0, 3) + zlib.compress(b"abc"), "of type 0"),
        (entry_head(3, LIMIT + 1) + zlib.compress(b"abc"), "more than"),
        (entry_head(3, 4) + zlib.compress(b"abc"), "stated size"),
        (entry_head(3, 2) + zlib.compress(b"abc"), "stated size"),
        (entry_head(3, 3) + zlib.compress(b"abc")[:-1], "stated size"),
        (entry_head(3, 3) + b"abc", "does not inflate"),
        (entry_head(3, 9) + zlib.compress(bytes(9_000_000)), "stated size"),
    ],
)
def test_what_is_not_an_entry(entry: bytes, message: str) -> None:
    with pytest.raises(EvidenceError, match=message):
        read_entry(pack(entry), 12, LIMIT)
