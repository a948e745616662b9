"""Packs made into one by copying entries as they are: nothing is inflated, nothing compressed.

Distances to bases change only where an object that two packs hold is left out of the second, so
merging costs little more than reading and writing the bytes.
"""

import heapq
import mmap
import zlib
from array import array
from bisect import bisect_left
from collections.abc import Sequence, Set
from itertools import pairwise
from pathlib import Path
from typing import IO

from reconciler.ledger.packing.entries import damaged, read_head
from reconciler.ledger.packing.form import HASH, Place, entry_head, pack_header, place
from reconciler.ledger.packing.writer import Packed, finish_pack
from reconciler.ledger.packs import Tables, check_trailer, read_index


def merge_packs(indexes: Sequence[Path], file: IO[bytes]) -> Packed:
    """Write a pack that holds what several others hold, each object once.

    That the packs are sound is not proven here; the caller reads back what came out.

    Args:
        indexes: The ``.idx`` files, their packs beside them, newest first.
        file: Open for writing and reading, empty.

    Raises:
        EvidenceError: An index or an entry is malformed.
        OSError: A pack cannot be read, or the new one cannot be written.
    """
    tables = [read_index(check_trailer(index), index.stem) for index in indexes]
    names = heapq.merge(*(table.ids for table in tables))
    merger = _Merger(file, {one for one, two in pairwise(names) if one == two})
    for index, table in zip(indexes, tables, strict=True):
        with (
            index.with_suffix(".pack").open("rb") as opened,
            mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as pack,
        ):
            merger.copy(pack, table)
    return Packed(merger.places, finish_pack(file, 0, len(merger.places)))


class _Merger:
    def __init__(self, file: IO[bytes], shared: Set[bytes]) -> None:
        self.places: list[Place] = []
        self._file = file
        self._at = file.write(pack_header(0))
        self._shared = shared
        self._done: dict[bytes, int] = {}
        """New offsets of the shared objects."""

    def copy(self, pack: mmap.mmap, tables: Tables) -> None:
        """Copy what is new of one pack, in its order."""
        ordered = sorted(range(len(tables.ids)), key=tables.offsets.__getitem__)
        old = array("Q", [tables.offsets[place] for place in ordered])
        new = array("Q")
        for number, (start, stop) in zip(ordered, pairwise([*old, len(pack) - HASH]), strict=True):
            oid = tables.ids[number]
            known = self._done.get(oid)
            new.append(self._at if known is None else known)
            if known is None:
                self._put(oid, self._entry(pack, start, stop, old, new))

    def _put(self, oid: bytes, entry: bytes) -> None:
        if oid in self._shared:
            self._done[oid] = self._at
        self.places.append(place(oid, zlib.crc32(entry), self._at))
        self._at += self._file.write(entry)

    def _entry(
        self, pack: mmap.mmap, start: int, stop: int, old: "array[int]", new: "array[int]"
    ) -> bytes:
        """An entry as it has to be in the new pack: a delta keeps its base, wherever that went."""
        entry = pack[start:stop]
        head = read_head(pack, start)
        if not isinstance(head.base, int):
            return entry
        found = bisect_left(old, head.base)
        if found >= len(new) - 1 or old[found] != head.base:
            raise damaged(start, "is a delta of what is no object before it")
        back = self._at - new[found]
        if back == start - head.base:
            return entry
        return entry_head(head.number, head.size, back) + entry[head.length :]
