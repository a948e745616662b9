"""Pack files and what lies beside them, checked to the last byte.

Source: Git's ``gitformat-pack``. A pack, its index and every auxiliary file end in a SHA-1 of all
before it. The index is also held against the pack: each object's bytes against its CRC-32, each
offset against its neighbour, so an index with a good trailer and wrong entries is found as well.
"""

import hashlib
import mmap
import struct
import zlib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from reconciler.errors import EvidenceError

_HASH = 20
_PACK_HEADER = 12
_INDEX_START = 8 + 256 * 4
_INDEX_MAGIC = b"\xfftOc\x00\x00\x00\x02"
_LARGE = 0x80000000
_HINT = "Restore the pack from a clone, or remove a damaged copy of what a clone still has."


def check_pack(pack: Path) -> list[bytes]:
    """Check a pack and its index.

    Args:
        pack: The ``.pack`` file; its ``.idx`` lies beside it.

    Returns:
        Binary ids of the objects in it.

    Raises:
        EvidenceError: A byte of either is wrong, or they do not belong together.
    """
    index = check_trailer(pack.with_suffix(".idx"))
    with pack.open("rb") as file, _mapped(file.fileno()) as data:
        _check_trailer(data, pack)
        version, count = struct.unpack(">4xII", data[:_PACK_HEADER])
        if data[:4] != b"PACK" or version != 2:
            raise _wrong(f"{pack.name} is not a pack of version 2")
        if index[-2 * _HASH : -_HASH] != data[-_HASH:]:
            raise _wrong(f"the index of {pack.name} belongs to another pack")
        ids, checksums, offsets = _tables(index, pack)
        if len(ids) != count:
            raise _wrong(f"{pack.name} holds {count} objects, its index {len(ids)}")
        _check_slices(data, checksums, offsets, pack)
    return ids


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
        good = len(view) > _HASH and _sha1(view[:-_HASH]) == bytes(view[-_HASH:])
    if not good:
        raise _wrong(f"{path.name} does not match its own checksum")


def _sha1(data: memoryview) -> bytes:
    return hashlib.sha1(data, usedforsecurity=False).digest()


def _tables(index: bytes, pack: Path) -> tuple[list[bytes], tuple[int, ...], list[int]]:
    """Ids, CRC-32 and offsets of an index of version 2."""
    if not index.startswith(_INDEX_MAGIC) or len(index) < _INDEX_START + 2 * _HASH:
        raise _wrong(f"the index of {pack.name} is not of version 2")
    fanout = struct.unpack(">256I", index[8:_INDEX_START])
    count = fanout[-1]
    large_at = _INDEX_START + count * (_HASH + 8)
    if len(index) < large_at + 2 * _HASH:
        raise _wrong(f"the index of {pack.name} is cut off")
    ids = [index[at : at + _HASH] for at in range(_INDEX_START, _INDEX_START + count * 20, 20)]
    _check_fanout(fanout, ids, pack)
    numbers = struct.unpack(f">{2 * count}I", index[large_at - count * 8 : large_at])
    large = index[large_at : -2 * _HASH]
    return ids, numbers[:count], list(_offsets(numbers[count:], large, pack))


def _check_fanout(fanout: tuple[int, ...], ids: list[bytes], pack: Path) -> None:
    counted = [0] * 256
    for oid in ids:
        counted[oid[0]] += 1
    total = 0
    for first, number in enumerate(counted):
        total += number
        if fanout[first] != total:
            raise _wrong(f"the index of {pack.name} has a wrong fan-out at {first:02x}")
    if any(one >= two for one, two in pairwise(ids)):
        raise _wrong(f"the index of {pack.name} is not sorted")


def _offsets(small: tuple[int, ...], large: bytes, pack: Path) -> Iterator[int]:
    used = 0
    for offset in small:
        if offset & _LARGE:
            at = (offset & ~_LARGE) * 8
            used += 8
            if at + 8 > len(large):
                raise _wrong(f"the index of {pack.name} points outside itself")
            yield int.from_bytes(large[at : at + 8], "big")
        else:
            yield offset
    if used != len(large):
        raise _wrong(f"the index of {pack.name} has spare bytes")


def _check_slices(
    data: mmap.mmap, checksums: tuple[int, ...], offsets: list[int], pack: Path
) -> None:
    ends = [*sorted(offsets), len(data) - _HASH]
    if ends[0] != (_PACK_HEADER if offsets else len(data) - _HASH):
        raise _wrong(f"the index of {pack.name} does not begin where the pack does")
    following = dict(pairwise(ends))
    if len(following) != len(offsets):
        raise _wrong(f"the index of {pack.name} names an offset twice")
    for offset, checksum in zip(offsets, checksums, strict=True):
        if zlib.crc32(data[offset : following[offset]]) != checksum:
            raise _wrong(f"{pack.name} has a damaged object at offset {offset}")


def _mapped(descriptor: int) -> mmap.mmap:
    try:
        return mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ)
    except ValueError as error:
        raise _wrong("pack is empty") from error


def _wrong(message: str) -> EvidenceError:
    return EvidenceError(message, hint=_HINT)
