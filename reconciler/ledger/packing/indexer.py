"""``git index-pack`` in Python: a strict reader of a whole pack, which trusts nothing beside it.

An auditor is handed a bundle by whoever is audited. What is in it becomes known only by reading all
of it: each object is inflated within limits, deltas are applied, and the name is what the content
hashes to. The index that comes out is, byte for byte, the one that stock git makes.

Rule 1: One pass from front to back; a base that was let go is made again, and counts as work again.
Rule 2: Every size, depth and count has a limit, and so has the sum of all work.
"""

from array import array
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha1
from itertools import pairwise
from mmap import mmap
from zlib import crc32

from reconciler.errors import EvidenceError
from reconciler.evidence.source import framed
from reconciler.ledger.loose import MAX_OBJECT
from reconciler.ledger.packing import form
from reconciler.ledger.packing.delta import apply
from reconciler.ledger.packing.entries import HINT, PackEntry, damaged, read_entry
from reconciler.ledger.packing.form import HASH, HEADER, KINDS, PACK_MAGIC, Place

_KEPT = 16 * 1024 * 1024

Object = tuple[str, bytes]
Outside = Callable[[bytes], Object | None]
"""Finds an object of another pack by its binary id, and proves that it hashes to it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a pack may ask of who reads it.

    Attributes:
        objects: How many there may be; ten years of one entry a minute are five million.
        size: Most bytes of one object.
        depth: Most deltas from an object down to a whole one; git makes at most 4,095.
        work: Most bytes that are made in all.
    """

    objects: int = 50_000_000
    size: int = MAX_OBJECT
    depth: int = 4096
    work: int = 256 * 1024 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Indexed:
    """A pack that was read to its end.

    Attributes:
        places: Id, CRC-32 and offset of each object, in the order of the pack.
        checksum: The last 20 bytes of the pack.
        bases: Binary ids of what it needs from outside: it is thin if there are any.
    """

    places: list[Place]
    checksum: bytes
    bases: list[bytes]


@dataclass(frozen=True, slots=True)
class _Made:
    """An object, and how many deltas it is away from a whole one."""

    kind: str
    raw: bytes
    depth: int


def index_pack(
    pack: bytes | mmap, outside: Outside | None = None, limits: Limits | None = None
) -> Indexed:
    """Read a pack and find out what is in it.

    Args:
        pack: The whole file.
        outside: Where the bases of a thin pack are; None if there is nothing outside.
        limits: What it may cost.

    Raises:
        EvidenceError: It is damaged, beyond a limit, needs what is not there, or holds an object
            twice.
    """
    return _Indexer(pack, outside, limits or Limits()).run()


class _Indexer:
    def __init__(self, pack: bytes | mmap, outside: Outside | None, limits: Limits) -> None:
        self._pack = pack
        self._outside = outside
        self._limits = limits
        self._work = 0
        self._offsets = array("Q")
        self._checksums = array("L")
        self._ids: list[bytes | None] = []
        self._names: dict[bytes, int] = {}
        """Places by binary id; only filled where a delta names its base."""
        self._waiting: dict[bytes | int, list[int]] = {}
        """Places by the binary id, or the place, of the base that is not known yet."""
        self._bases: list[bytes] = []
        self._kept: dict[int, _Made] = {}
        self._older: dict[int, _Made] = {}
        self._kept_bytes = 0

    def run(self) -> Indexed:
        count = self._header()
        offset = HEADER
        for _ in range(count):
            offset = self._next(offset)
        if offset != len(self._pack) - HASH:
            raise _wrong("has bytes after its last object")
        if self._waiting:
            self._resolve()
        ids = [oid for oid in self._ids if oid is not None]
        places = list(map(form.place, ids, self._checksums, self._offsets))
        if any(one == two for one, two in pairwise(sorted(ids))):
            raise _wrong("holds an object twice")
        return Indexed(places, self._pack[-HASH:], self._bases)

    def _header(self) -> int:
        """The number of objects, of a pack that is of version 2 and matches its checksum."""
        if len(self._pack) < HEADER + HASH or self._pack[:8] != PACK_MAGIC:
            raise _wrong("is not of version 2")
        with memoryview(self._pack) as view, view[:-HASH] as body:
            good = sha1(body, usedforsecurity=False).digest() == self._pack[-HASH:]
        if not good:
            raise _wrong("does not match its own checksum")
        count = int.from_bytes(self._pack[8:HEADER], "big")
        if count > self._limits.objects:
            raise _wrong(f"holds {count} objects, more than {self._limits.objects}")
        return count

    def _next(self, offset: int) -> int:
        """Read the entry at an offset, name its object if its base is known; where it ends."""
        entry = self._entry(offset)
        place = len(self._ids)
        self._offsets.append(offset)
        self._checksums.append(crc32(self._pack[offset : entry.end]))
        self._ids.append(None)
        if entry.base is None:
            self._name(place, _Made(KINDS[entry.number], entry.data, 0))
        else:
            self._say(place, entry, entry.base)
        return entry.end

    def _say(self, place: int, entry: PackEntry, base: int | bytes) -> None:
        """Name the object of a delta, or let it wait for its base."""
        if isinstance(base, int):
            base = self._place_of(base, place)
            if self._ids[base] is not None:
                self._name(place, self._applied(place, entry, self._made(base)))
                return
        self._waiting.setdefault(base, []).append(place)

    def _entry(self, offset: int) -> PackEntry:
        entry = read_entry(self._pack, offset, self._limits.size)
        self._spend(len(entry.data))
        return entry

    def _name(self, place: int, made: _Made) -> bytes:
        oid = sha1(framed(made.kind, made.raw), usedforsecurity=False).digest()
        self._ids[place] = oid
        self._keep(place, made)
        return oid

    def _place_of(self, base: int, place: int) -> int:
        found = bisect_left(self._offsets, base, 0, place)
        if found == place or self._offsets[found] != base:
            raise damaged(self._offsets[place], "is a delta of what is no object before it")
        return found

    def _made(self, place: int) -> _Made:
        """The object of a place whose base is known, made again if it was let go."""
        chain: list[tuple[int, PackEntry]] = []
        known = self._recall(place)
        while known is None:
            entry = self._entry(self._offsets[place])
            if entry.base is None:
                known = _Made(KINDS[entry.number], entry.data, 0)
                self._keep(place, known)
            else:
                chain.append((place, entry))
                known, place = self._below(entry.base, place)
        for above, entry in reversed(chain):
            known = self._applied(above, entry, known)
            self._keep(above, known)
        return known

    def _below(self, base: int | bytes, place: int) -> tuple[_Made | None, int]:
        """The base of a delta if it is at hand, and its place."""
        if isinstance(base, int):
            place = self._place_of(base, place)
        elif base in self._names:
            place = self._names[base]
        else:
            return self._from_outside(base), place
        return self._recall(place), place

    def _from_outside(self, oid: bytes) -> _Made:
        found = None if self._outside is None else self._outside(oid)
        if found is None:
            raise _wrong(f"needs object {oid.hex()}, which is not there")
        return _Made(*found, 0)

    def _applied(self, place: int, entry: PackEntry, base: _Made) -> _Made:
        raw = apply(base.raw, entry.data, self._limits.size)
        if raw is None:
            raise damaged(self._offsets[place], "is a delta that does not fit its base")
        if base.depth >= self._limits.depth:
            raise damaged(self._offsets[place], "has too long a chain of deltas")
        self._spend(len(raw))
        return _Made(base.kind, raw, base.depth + 1)

    def _resolve(self) -> None:
        """Name what waits: by bases in this pack as far as it goes, then by those outside."""
        self._names = {oid: place for place, oid in enumerate(self._ids) if oid is not None}
        # Whatever waits for a place waits for that to get a name, so these are all beginnings.
        named = [base for base in self._waiting if isinstance(base, bytes)]
        self._resolve_from([*filter(self._names.__contains__, named)])
        for base in named:
            if base in self._waiting:
                self._from_outside(base)
                self._bases.append(base)
                self._resolve_from([base])

    def _resolve_from(self, bases: list[bytes | int]) -> None:
        while bases:
            for place in self._waiting.pop(bases.pop(), ()):
                oid = self._name(place, self._made(place))
                self._names.setdefault(oid, place)
                bases += [key for key in (oid, place) if key in self._waiting]

    def _spend(self, size: int) -> None:
        self._work += size
        if self._work > self._limits.work:
            raise _wrong(f"is more work than {self._limits.work} bytes")

    def _keep(self, place: int, made: _Made) -> None:
        self._kept[place] = made
        self._kept_bytes += len(made.raw)
        if self._kept_bytes > _KEPT:
            self._older, self._kept, self._kept_bytes = self._kept, {}, 0

    def _recall(self, place: int) -> _Made | None:
        made = self._kept.get(place)
        if made is None:
            made = self._older.get(place)
            if made is not None:
                self._keep(place, made)
        return made


def _wrong(message: str) -> EvidenceError:
    return EvidenceError(f"pack {message}", hint=HINT)
