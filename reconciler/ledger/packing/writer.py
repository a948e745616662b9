"""Writing packs: small, quickly read again, and the same bytes for the same objects.

Rule 1: Objects come newest first and are said by a newer one of their series, the anchor. A commit
differs from its neighbours in the same few fields; an older tree is the beginning of a newer one;
of documents, some of the last ones are tried.
Rule 2: An anchor is itself a delta of the one before it, up to a depth, so a whole object is rare,
and what is between two anchors is one step away from the nearer one.
"""

import sys
import zlib
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha1
from os import SEEK_END
from typing import IO

from reconciler.evidence.source import object_id
from reconciler.ledger.packing import delta
from reconciler.ledger.packing.form import (
    HASH,
    HEADER,
    NUMBERS,
    OFFSET_DELTA,
    Place,
    entry_head,
    pack_header,
    place,
)
from reconciler.ledger.packing.select import Chosen

DEEPEST = 32
"""Most deltas from an object down to a whole one."""

_MEMBERS = {"commit": 16, "blob": 1}
"""How many objects are said by one anchor before the next takes over; of trees: any number."""
_TRIED = {"blob": 8}
"""How many anchors are tried; of others: one."""
_SERIES = 256
_CHUNK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Packed:
    """A pack that was written.

    Attributes:
        places: Where each object is.
        checksum: The last 20 bytes, which also name the pack.
    """

    places: list[Place]
    checksum: bytes


@dataclass(slots=True)
class _Anchor:
    raw: bytes
    mark: str
    offset: int
    depth: int
    members: int = 1


def write_pack(objects: Iterable[Chosen], file: IO[bytes]) -> Packed:
    """Write a pack.

    Args:
        objects: What goes into it, each object once, newest first.
        file: Open for writing and reading; the pack begins where it stands.

    Raises:
        OSError: It cannot be written.
    """
    start = file.tell()
    writer = _Writer(file)
    file.write(pack_header(0))
    for one in objects:
        writer.add(one)
    return Packed(writer.places, finish_pack(file, start, len(writer.places)))


def extend_pack(file: IO[bytes], packed: Packed, objects: Iterable[tuple[str, bytes]]) -> Packed:
    """Put whole objects behind those of a pack.

    Args:
        file: The pack and nothing else, open for writing and reading.
        packed: What is in it.
        objects: Type and content of each.

    Raises:
        OSError: It cannot be written.
    """
    places = list(packed.places)
    offset = file.seek(-HASH, SEEK_END)
    for kind, raw in objects:
        entry = _whole(kind, raw)
        places.append(place(bytes.fromhex(object_id(kind, raw)), zlib.crc32(entry), offset))
        offset += file.write(entry)
    file.truncate()
    return Packed(places, finish_pack(file, 0, len(places)))


def finish_pack(file: IO[bytes], start: int, count: int) -> bytes:
    """Write the number of objects at the beginning of a pack and its checksum at the end.

    Args:
        file: Open for writing and reading; ends after the last object.
        start: Where the pack begins.
        count: How many objects it holds.

    Returns:
        The checksum.

    Raises:
        OSError: It cannot be written.
    """
    file.seek(start)
    file.write(pack_header(count))
    file.seek(start)
    total = sha1(usedforsecurity=False)
    while chunk := file.read(_CHUNK):
        total.update(chunk)
    file.write(total.digest())
    return total.digest()


class _Writer:
    def __init__(self, file: IO[bytes]) -> None:
        self.places: list[Place] = []
        self._file = file
        self._offset = HEADER
        self._anchors: OrderedDict[tuple[str, str], list[_Anchor]] = OrderedDict()

    def add(self, one: Chosen) -> None:
        anchors = self._near(one)
        made, anchor = self._best(one, anchors)
        said = None if anchor is None else self._said(one, made, anchor)
        if anchor is None or said is None:
            self._take_over(one, anchors, 0)
        elif anchor.members >= _MEMBERS.get(one.kind, sys.maxsize) or anchor.mark != one.mark:
            self._take_over(one, anchors, anchor.depth + 1)
        else:
            anchor.members += 1
        self._put(one.oid, said or _whole(one.kind, one.raw))

    def _near(self, one: Chosen) -> list[_Anchor]:
        """The anchors of a series, newest first; series that were not used for long are let go."""
        series = one.kind, one.series
        anchors = self._anchors.setdefault(series, [])
        self._anchors.move_to_end(series)
        if len(self._anchors) > _SERIES:
            self._anchors.popitem(last=False)
        return anchors

    def _best(self, one: Chosen, anchors: list[_Anchor]) -> tuple[bytes, _Anchor | None]:
        """The shortest delta, and what it is one of."""
        deltas = [
            (made, anchor)
            for anchor in anchors
            if anchor.depth < DEEPEST and (made := delta.make(anchor.raw, one.raw)) is not None
        ]
        return min(deltas, key=lambda found: len(found[0]), default=(b"", None))

    def _said(self, one: Chosen, made: bytes, anchor: _Anchor) -> bytes | None:
        """The entry of a delta; None if the whole object is as short."""
        head = entry_head(OFFSET_DELTA, len(made), self._offset - anchor.offset)
        entry = head + _small(made, one.kind)
        # What is plainly shorter need not be held against the whole.
        if 2 * len(made) < len(one.raw) or len(entry) < len(_whole(one.kind, one.raw)):
            return entry
        return None

    def _take_over(self, one: Chosen, anchors: list[_Anchor], depth: int) -> None:
        anchors.insert(0, _Anchor(one.raw, one.mark, self._offset, depth))
        del anchors[_TRIED.get(one.kind, 1) :]

    def _put(self, oid: str, entry: bytes) -> None:
        self.places.append(place(bytes.fromhex(oid), zlib.crc32(entry), self._offset))
        self._file.write(entry)
        self._offset += len(entry)


def _whole(kind: str, raw: bytes) -> bytes:
    return entry_head(NUMBERS[kind], len(raw)) + zlib.compress(raw, 9)


def _small(made: bytes, kind: str) -> bytes:
    """A compressed delta. In one of a commit nothing is there twice: only its alphabet is small."""
    strategy = zlib.Z_HUFFMAN_ONLY if kind == "commit" else zlib.Z_DEFAULT_STRATEGY
    compress = zlib.compressobj(9, zlib.DEFLATED, 15, 8, strategy)
    return compress.compress(made) + compress.flush()
