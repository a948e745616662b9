"""One entry of a pack, from its first byte to its last, within limits."""

import zlib
from dataclasses import dataclass
from mmap import mmap

from reconciler.errors import EvidenceError
from reconciler.ledger.packing.form import HASH, KINDS, LONGEST_HEAD, NAMED_DELTA, OFFSET_DELTA

HINT = "Ask for the file again; if it comes the same, what it holds is not evidence."


@dataclass(frozen=True, slots=True)
class Head:
    """What stands before the compressed bytes of an entry.

    Attributes:
        number: Its type; one of two kinds of deltas has a base.
        size: Stated bytes before compression.
        base: Offset, or binary id, of what a delta copies from.
        length: Of the head itself, in bytes.
    """

    number: int
    size: int
    base: int | bytes | None
    length: int


@dataclass(frozen=True, slots=True)
class PackEntry:
    """One entry.

    Attributes:
        number: Its type; one of two kinds of deltas has a base.
        base: Offset, or binary id, of what a delta copies from.
        data: The object, or the delta.
        end: Offset of the byte after it.
    """

    number: int
    base: int | bytes | None
    data: bytes
    end: int


def read_entry(pack: bytes | mmap, offset: int, limit: int) -> PackEntry:
    """Read an entry.

    Args:
        pack: The whole pack.
        offset: Where the entry begins.
        limit: Most bytes that it may inflate to.

    Raises:
        EvidenceError: It is of no known type, damaged, cut off or too large.
    """
    head = read_head(pack, offset)
    if head.number not in KINDS and head.base is None:
        raise damaged(offset, f"is of type {head.number}")
    if head.size > limit:
        raise damaged(offset, f"is of {head.size} bytes, more than {limit}")
    data, end = _inflated(pack, offset, head.length, head.size)
    return PackEntry(head.number, head.base, data, end)


def read_head(pack: bytes | mmap, offset: int) -> Head:
    """Read what stands before the compressed bytes of an entry.

    Raises:
        EvidenceError: It is cut off.
    """
    look = pack[offset : min(len(pack) - HASH, offset + LONGEST_HEAD)]
    try:
        number, size, at = _type_and_size(look)
        base, at = _base(number, look, at, offset)
    except IndexError as error:
        raise damaged(offset, "is cut off") from error
    return Head(number, size, base, at)


def damaged(offset: int, message: str) -> EvidenceError:
    """The error that says where a pack is wrong."""
    return EvidenceError(f"pack entry at {offset} {message}", hint=HINT)


def _type_and_size(head: bytes) -> tuple[int, int, int]:
    byte, at, shift = head[0], 1, 4
    size = byte & 15
    while byte & 0x80:
        byte = head[at]
        size |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
    return head[0] >> 4 & 7, size, at


def _base(number: int, head: bytes, at: int, offset: int) -> tuple[int | bytes | None, int]:
    if number == NAMED_DELTA:
        if len(head) < at + HASH:
            raise IndexError
        return head[at : at + HASH], at + HASH
    if number != OFFSET_DELTA:
        return None, at
    byte = head[at]
    back = byte & 0x7F
    while byte & 0x80:
        at += 1
        byte = head[at]
        back = (back + 1) << 7 | byte & 0x7F
    return offset - back, at + 1


def _inflated(pack: bytes | mmap, offset: int, at: int, size: int) -> tuple[bytes, int]:
    start = offset + at
    # zlib's own bound on what data of this size can be compressed to.
    bound = start + size + (size >> 12) + (size >> 14) + (size >> 25) + 64
    chunk = pack[start : min(bound, len(pack) - HASH)]
    inflate = zlib.decompressobj()
    try:
        data = inflate.decompress(chunk, size + 1)
    except zlib.error as error:
        raise damaged(offset, f"does not inflate: {error}") from error
    if len(data) != size or not inflate.eof:
        raise damaged(offset, "is not of its stated size")
    return data, start + len(chunk) - len(inflate.unused_data)
