"""Finding one name among many in an index, and what a broken index costs."""

import hashlib
import random
from pathlib import Path

import pytest

from reconciler.errors import EvidenceError
from reconciler.ledger.pack_reader import PackReader
from reconciler.ledger.packing.form import encode_index, pack_header, place

COUNT = 60_000


def names(count: int) -> list[bytes]:
    source = random.Random(4)
    spread = [source.randbytes(20) for _ in range(count)]
    # Some that are not spread evenly, as whoever prepares an index may choose them.
    crowd = [b"\x80\x00\x00" + source.randbytes(17) for _ in range(400)]
    return spread + crowd


def written(directory: Path, ids: list[bytes]) -> PackReader:
    body = pack_header(len(ids))
    pack = body + hashlib.sha1(body).digest()
    (directory / "p.pack").write_bytes(pack)
    places = [place(oid, 0, 12 + number) for number, oid in enumerate(ids)]
    (directory / "p.idx").write_bytes(encode_index(places, pack[-20:]))
    return PackReader(directory / "p.idx")


def test_every_name_is_found_and_no_other(tmp_path: Path) -> None:
    ids = names(COUNT)
    reader = written(tmp_path, ids)
    assert reader.count == len(ids)
    assert all(map(reader.holds, ids))
    source = random.Random(5)
    for oid in ids[:: COUNT // 300] + ids[-300:]:
        for other in (oid[:19] + bytes((oid[19] ^ 1,)), oid[:3] + source.randbytes(17)):
            assert not reader.holds(other)
    for edge in (bytes(20), b"\xff" * 20, b"\x80" + bytes(19), b"\x7f" + b"\xff" * 19):
        assert not reader.holds(edge)


def test_a_name_that_two_neighbours_spell_is_not_there(tmp_path: Path) -> None:
    low = b"\x10\x00\x00\x00\x00\x10" + b"\x50" * 14
    high = b"\x10\x01\x01\x01\x01" + b"\xff" * 15
    spelled = low[5:] + high[:5]
    assert not written(tmp_path, [low, high]).holds(spelled)
    assert written(tmp_path, [low, high, spelled]).holds(spelled)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda data: data[:900], "version 2"),
        (lambda data: b"\0" + data[1:], "version 2"),
        (lambda data: data[:-60], "cut off"),
        (lambda data: data[:8] + b"\xff" + data[9:], "cut off|fan-out"),
        (lambda data: data[:12] + b"\0\0\0\2" + data[16:], "fan-out"),
    ],
)
def test_an_index_of_another_form(tmp_path: Path, spoil, message: str) -> None:
    written(tmp_path, [b"\x10" * 20, b"\x20" * 20][:1])
    index = tmp_path / "p.idx"
    index.write_bytes(spoil(index.read_bytes()))
    with pytest.raises(EvidenceError, match=message):
        PackReader(index)


def test_an_absent_file_is_told_from_a_broken_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        PackReader(tmp_path / "absent.idx")
    (tmp_path / "empty.idx").touch()
    with pytest.raises(EvidenceError, match="cannot be read"):
        PackReader(tmp_path / "empty.idx")
