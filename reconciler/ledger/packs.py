"""Pack files and what lies beside them, checked to the last byte.

Source: Git's ``gitformat-pack``. A pack, its index and every auxiliary file end in a SHA-1 of all
before it. The index is also held against the pack: each object's bytes against its CRC-32, each
offset against its neighbour, so an index with a good trailer and wrong entries is found as well.
"""

import hashlib
import mmap
import struct
import sys
import zlib
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, pairwise
from operator import ge
from pathlib import Path

from reconciler.errors import EvidenceError
from reconciler.ledger.packing.form import HASH, HEADER, INDEX_MAGIC, PACK_MAGIC

_INDEX_START = 8 + 256 * 4
_LARGE = 0x80000000
_HINT = "Restore the pack from a clone, or remove a damaged copy of what a clone still has."


@dataclass(frozen=True, slots=True)
class Tables:
    """What an index says, in the order of ids.

    Attributes:
        ids: Binary ids.
        checksums: CRC-32 of each object's bytes in the pack.
        offsets: Where each begins.
    """

    ids: list[bytes]
    checksums: "array[int]"
    offsets: "array[int]"


def check_pack(pack: Path) -> list[bytes]:
    """Check a pack and its index.

    Args:
        pack: The ``.pack`` file; its ``.idx`` lies beside it.

    Returns:
        Binary ids of the objects in it, in the order in which they lie there.

    Raises:
        FileNotFoundError: The pack is not there (any more).
        EvidenceError: A byte of either is wrong, or they do not belong together.
    """
    index = check_trailer(pack.with_suffix(".idx"))
    with pack.open("rb") as file, _mapped(file.fileno()) as data:
        _check_trailer(data, pack)
        if data[: len(PACK_MAGIC)] != PACK_MAGIC:
            raise _wrong(f"{pack.name} is not a pack of version 2")
        if index[-2 * HASH : -HASH] != data[-HASH:]:
            raise _wrong(f"the index of {pack.name} belongs to another pack")
        tables = read_index(index, pack.name)
        count = int.from_bytes(data[len(PACK_MAGIC) : HEADER], "big")
        if len(tables.ids) != count:
            raise _wrong(f"{pack.name} holds {count} objects, its index {len(tables.ids)}")
        return _check_slices(data, tables, pack)


def check_trailer(path: Path) -> bytes:
    """Read a file that ends in a SHA-1 of what is before it.

    Raises:
        EvidenceError: It does not, or it is not there.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise _wrong(f"{path.name} is not there") from error
    _check_trailer(data, path)
    return data


def _check_trailer(data: bytes | mmap.mmap, path: Path) -> None:
    with memoryview(data) as view:
        good = len(view) > HASH and _sha1(view[:-HASH]) == bytes(view[-HASH:])
    if not good:
        raise _wrong(f"{path.name} does not match its own checksum")


def _sha1(data: memoryview) -> bytes:
    return hashlib.sha1(data, usedforsecurity=False).digest()


def read_index(index: bytes, name: str) -> Tables:
    """Read an index, holding it against itself.

    Args:
        index: The whole file, whose trailer was checked.
        name: Of its pack, for messages.

    Raises:
        EvidenceError: It is not one that Git would write.
    """
    if not index.startswith(INDEX_MAGIC) or len(index) < _INDEX_START + 2 * HASH:
        raise _wrong(f"the index of {name} is not of version 2")
    fanout = struct.unpack(">256I", index[8:_INDEX_START])
    count = fanout[-1]
    large_at = _INDEX_START + count * (HASH + 8)
    if len(index) < large_at + 2 * HASH:
        raise _wrong(f"the index of {name} is cut off")
    names = index[_INDEX_START : _INDEX_START + count * HASH]
    ids = [one for (one,) in struct.iter_unpack("20s", names)]
    _check_names(fanout, ids, name)
    checksums, small = (
        _numbers(index[at : at + count * 4]) for at in (large_at - count * 8, large_at - count * 4)
    )
    large = index[large_at : -2 * HASH]
    return Tables(ids, checksums, array("Q", _offsets(small, large, name)))


def _numbers(data: bytes) -> "array[int]":
    """Numbers of four bytes, high ones first."""
    numbers = array("I", data)
    if sys.byteorder == "little":
        numbers.byteswap()
    return numbers


def _check_names(fanout: tuple[int, ...], ids: list[bytes], name: str) -> None:
    counted = [0] * 256
    for oid in ids:
        counted[oid[0]] += 1
    for first, total in enumerate(accumulate(counted)):
        if fanout[first] != total:
            raise _wrong(f"the index of {name} has a wrong fan-out at {first:02x}")
    if any(map(ge, ids, ids[1:])):
        raise _wrong(f"the index of {name} is not sorted")


def _offsets(small: "array[int]", large: bytes, name: str) -> Iterator[int]:
    used = 0
    for offset in small:
        if offset & _LARGE:
            at = (offset & ~_LARGE) * 8
            used += 8
            if at + 8 > len(large):
                raise _wrong(f"the index of {name} points outside itself")
            yield int.from_bytes(large[at : at + 8], "big")
        else:
            yield offset
    if used != len(large):
        raise _wrong(f"the index of {name} has spare bytes")


def _check_slices(data: mmap.mmap, tables: Tables, pack: Path) -> list[bytes]:
    """Hold each object's bytes against the index; the ids in the order of the pack."""
    offsets = tables.offsets
    ordered = sorted(range(len(offsets)), key=offsets.__getitem__)
    ends = array("Q", [*(offsets[place] for place in ordered), len(data) - HASH])
    if ends[0] != HEADER:
        raise _wrong(f"the index of {pack.name} does not begin where the pack does")
    for place, (start, stop) in zip(ordered, pairwise(ends), strict=True):
        if start >= stop:
            raise _wrong(f"the index of {pack.name} names an offset twice, or one outside")
        if zlib.crc32(data[start:stop]) != tables.checksums[place]:
            raise _wrong(f"{pack.name} has a damaged object at offset {start}")
    return [tables.ids[place] for place in ordered]


def _mapped(descriptor: int) -> mmap.mmap:
    try:
        return mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ)
    except ValueError as error:
        raise _wrong("pack is empty") from error


def _wrong(message: str) -> EvidenceError:
    return EvidenceError(message, hint=_HINT)
