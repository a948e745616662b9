"""The form of packs and their indexes, as Git's ``gitformat-pack`` has it, version 2 of both."""

import struct
from collections.abc import Sequence
from hashlib import sha1
from itertools import accumulate

NUMBERS = {"commit": 1, "tree": 2, "blob": 3, "tag": 4}
KINDS = {number: kind for kind, number in NUMBERS.items()}
OFFSET_DELTA, NAMED_DELTA = 6, 7
PACK_MAGIC = b"PACK\x00\x00\x00\x02"
INDEX_MAGIC = b"\xfftOc\x00\x00\x00\x02"
HEADER = 12
"""In bytes, of a pack: magic, version, number of objects."""
HASH = 20
LONGEST_HEAD = 32
"""In bytes, of an entry: type and size (up to 10), then the base (up to 20)."""

_FIRST_LARGE = (0x80000000).to_bytes(8, "big")

Place = bytes
"""Of one object in a pack: its binary id, CRC-32 of its bytes there, and offset, in one string,
because there may be millions, which are sorted by id."""


def number(value: int) -> bytes:
    """A number of seven bits a byte, low ones first."""
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    parts.append(value)
    return bytes(parts)


def entry_head(kind: int, size: int, back: int = 0) -> bytes:
    """What stands before the compressed bytes of an entry.

    Args:
        kind: Number of its type.
        size: Bytes before compression.
        back: For a delta of an offset, how far before it its base begins.
    """
    first = kind << 4 | size & 15
    head = bytes((first | 0x80,)) + number(size >> 4) if size > 15 else bytes((first,))
    return head + _backwards(back) if back else head


def place(oid: bytes, checksum: int, offset: int) -> Place:
    """Where an object is.

    Args:
        oid: Binary object id.
        checksum: CRC-32 of the whole entry.
        offset: Where that begins.
    """
    return oid + checksum.to_bytes(4, "big") + offset.to_bytes(8, "big")


def id_at(one: Place) -> bytes:
    """The binary object id of a place."""
    return one[:HASH]


def pack_header(count: int) -> bytes:
    """The first bytes of a pack of so many objects."""
    return PACK_MAGIC + struct.pack(">I", count)


def encode_index(places: Sequence[Place], checksum: bytes) -> bytes:
    """The index of a pack, byte for byte as stock git makes it.

    Args:
        places: Its objects, in any order.
        checksum: The last 20 bytes of the pack.
    """
    ordered = sorted(places)
    counted = [0] * 256
    for one in ordered:
        counted[one[0]] += 1
    large: list[bytes] = []
    body = b"".join(
        (
            INDEX_MAGIC,
            struct.pack(">256I", *accumulate(counted)),
            b"".join([one[:HASH] for one in ordered]),
            b"".join([one[HASH : HASH + 4] for one in ordered]),
            b"".join([_small(one[HASH + 4 :], large) for one in ordered]),
            b"".join(large),
            checksum,
        )
    )
    return body + sha1(body, usedforsecurity=False).digest()


def _small(offset: bytes, large: list[bytes]) -> bytes:
    """The offset in four bytes, or its place among the large ones."""
    if offset < _FIRST_LARGE:
        return offset[4:]
    large.append(offset)
    return (len(large) - 1 | 0x80000000).to_bytes(4, "big")


def _backwards(back: int) -> bytes:
    """A distance, high bits first; each further byte stands for one more than it says."""
    parts = [back & 0x7F]
    back >>= 7
    while back:
        back -= 1
        parts.append(back & 0x7F | 0x80)
        back >>= 7
    return bytes(reversed(parts))
