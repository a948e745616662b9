"""Objects out of a pack, read by us.

Source: Git's ``gitformat-pack``. libgit2 (1.9.7) trusts a pack's index: one flipped byte in it can
end the process. An auditor opens repositories that somebody may have prepared, so here every number
that a file states is checked before it is used, every inflation is bounded, and so is all the work
that one object may cost. An audit reads every object once, so each step of `read` counts.
"""

import mmap
import struct
import zlib
from bisect import bisect_left
from pathlib import Path

from reconciler.errors import EvidenceError
from reconciler.ledger.loose import MAX_OBJECT
from reconciler.ledger.packing.delta import apply
from reconciler.ledger.packing.form import (
    HASH,
    HEADER,
    INDEX_MAGIC,
    KINDS,
    NAMED_DELTA,
    OFFSET_DELTA,
    PACK_MAGIC,
)

_FANOUT_AT, _NAMES_AT = 8, 8 + 256 * 4
_LARGE = 0x80000000
_MAX_CHAIN = 4096
_MAX_WORK = 64 * MAX_OBJECT
"""In bytes, of all that is made on the way to one object."""
_FIRST_LOOK = 512
"""In bytes: most entries of a ledger are not longer."""
_SMALL = 4096
"""In bytes: what is stated to be no larger cannot inflate to more than a few megabytes."""
_WINDOW = 128
_KEPT = 4 * 1024 * 1024
_HINT = "Restore the pack from a clone."

Object = tuple[str, bytes]


class PackReader:
    """One pack with its index, mapped into memory."""

    def __init__(self, index: Path, pack: Path | None = None) -> None:
        """Map a pack.

        Args:
            index: The ``.idx`` file.
            pack: The ``.pack`` file; if not given, it lies beside its index under the same name.

        Raises:
            FileNotFoundError: One is not there (any more).
            EvidenceError: One cannot be read, is not of version 2, or is cut off.
        """
        self.name = index.stem
        self._index = _mapped(index)
        self._pack = _mapped(pack or index.with_suffix(".pack"))
        short = len(self._index) < _NAMES_AT
        if short or self._index[:8] != INDEX_MAGIC or self._pack[:8] != PACK_MAGIC:
            raise self._wrong("is not of version 2")
        self._fanout: tuple[int, ...] = (0, *struct.unpack_from(">256I", self._index, _FANOUT_AT))
        self.count = self._fanout[256]
        if len(self._index) < _NAMES_AT + self.count * 28 + 2 * HASH:
            raise self._wrong("has an index that is cut off")
        if list(self._fanout) != sorted(self._fanout):
            raise self._wrong("has a wrong fan-out")
        self._kept: dict[int, Object] = {}
        self._older: dict[int, Object] = {}
        self._kept_bytes = 0

    def read(self, oid: bytes) -> Object | None:
        """Type and content of an object, None if it is not in this pack.

        Args:
            oid: Binary object id, 20 bytes. That the content hashes to it is the caller's to check.

        Raises:
            EvidenceError: The pack or its index is damaged, or the object is larger than 8 MiB.
        """
        position = self._find(oid)
        if position is None:
            return None
        try:
            return self._object(self._offset(position))
        except zlib.error as error:
            raise self._wrong(f"does not inflate: {error}") from error
        except IndexError as error:
            raise self._wrong("has an entry that is cut off") from error

    def holds(self, oid: bytes) -> bool:
        """Whether the index names an object."""
        return self._find(oid) is not None

    def _find(self, oid: bytes) -> int | None:
        low, high = self._fanout[oid[0]], self._fanout[oid[0] + 1]
        first = low
        if high - low > _WINDOW:
            # Ids are spread evenly, so one is found close to where its next three bytes say.
            guess = low + ((high - low) * int.from_bytes(oid[1:4], "big") >> 24)
            low, high = max(low, guess - _WINDOW // 2), min(high, guess + _WINDOW // 2)
        names = self._index[_NAMES_AT + low * HASH : _NAMES_AT + high * HASH]
        at = names.find(oid)
        while at != -1 and at % HASH:
            # The end of one name and the beginning of the next happen to spell it.
            at = names.find(oid, at + 1)
        if at != -1:
            return low + at // HASH
        return self._search(oid, first, names)

    def _search(self, oid: bytes, low: int, names: bytes) -> int | None:
        """An object id by halving, where looking close to its place did not find it."""
        high = self._fanout[oid[0] + 1]
        if high - low <= _WINDOW or names[:HASH] < oid < names[-HASH:]:
            return None
        at: int = low + bisect_left(range(low, high), oid, key=self._named)
        return at if at < high and self._named(at) == oid else None

    def _named(self, position: int) -> bytes:
        at = _NAMES_AT + position * HASH
        return self._index[at : at + HASH]

    def _offset(self, position: int) -> int:
        at = _NAMES_AT + self.count * 24 + position * 4
        offset = int.from_bytes(self._index[at : at + 4], "big")
        if offset & _LARGE:
            at = _NAMES_AT + self.count * 28 + (offset & ~_LARGE) * 8
            offset = int.from_bytes(self._index[at : at + 8], "big")
        return offset

    def _object(self, offset: int) -> Object:
        """The object at an offset: its chain of deltas down to a whole object, then up again."""
        known = self._known(offset)
        chain: list[tuple[int, bytes]] = []
        at = offset
        while known is None:
            number, base, data = self._entry(at)
            if base is None:
                known = (self._kind(number), data)
                self._keep(at, known)
            else:
                chain.append((at, data))
                at = base
                known = self._kept.get(at) or self._known(at)
                if len(chain) > _MAX_CHAIN:
                    raise self._wrong("has an endless chain of deltas")
        return self._built(known, chain) if chain else known

    def _built(self, known: Object, chain: list[tuple[int, bytes]]) -> Object:
        work = 0
        for at, delta in reversed(chain):
            made = apply(known[1], delta, MAX_OBJECT)
            if made is None:
                raise self._wrong("has a delta that does not fit")
            known = (known[0], made)
            self._keep(at, known)
            work += len(made) + len(delta)
            if work > _MAX_WORK:
                raise self._wrong("has a chain of deltas that is too much work")
        return known

    def _kind(self, number: int) -> str:
        if number not in KINDS:
            raise self._wrong(f"holds an entry of type {number}")
        return KINDS[number]

    def _known(self, at: int) -> Object | None:
        known = self._kept.get(at)
        if known is None:
            known = self._older.get(at)
            if known is not None:
                # Whatever is asked for again outlives the next clearing.
                self._keep(at, known)
        return known

    def _keep(self, at: int, known: Object) -> None:
        self._kept[at] = known
        self._kept_bytes += len(known[1])
        if self._kept_bytes > _KEPT:
            self._older, self._kept, self._kept_bytes = self._kept, {}, 0

    def _entry(self, offset: int) -> tuple[int, int | None, bytes]:
        """Type, offset of the base if it is a delta, and inflated data of one entry."""
        if not HEADER <= offset < len(self._pack) - HASH:
            raise self._wrong("has an entry outside it")
        look = self._pack[offset : offset + _FIRST_LOOK]
        byte = look[0]
        number, size = byte >> 4 & 7, byte & 15
        at, shift = 1, 4
        while byte & 0x80 and shift < 64:
            byte = look[at]
            size |= (byte & 0x7F) << shift
            shift += 7
            at += 1
        base: int | None = None
        if number == OFFSET_DELTA:
            base, at = self._base_before(offset, look, at)
        elif number == NAMED_DELTA:
            base, at = self._base_named(look[at : at + HASH]), at + HASH
        return number, base, self._inflated(look, offset, at, size)

    def _base_before(self, offset: int, look: bytes, at: int) -> tuple[int, int]:
        byte = look[at]
        back = byte & 0x7F
        while byte & 0x80 and back < offset:
            at += 1
            byte = look[at]
            back = (back + 1) << 7 | byte & 0x7F
        if not 0 < back < offset:
            raise self._wrong("has a delta of something outside it")
        return offset - back, at + 1

    def _base_named(self, oid: bytes) -> int:
        position = self._find(oid) if len(oid) == HASH else None
        if position is None:
            raise self._wrong("has a delta of something outside it")
        return self._offset(position)

    def _inflated(self, look: bytes, offset: int, at: int, size: int) -> bytes:
        if size > MAX_OBJECT:
            raise self._wrong(f"holds {size} bytes in one entry")
        # zlib's own bound on what data of this size can be compressed to.
        bound = size + (size >> 12) + (size >> 14) + (size >> 25) + 64
        if at + bound > len(look):
            look, at = self._pack[offset + at : offset + at + bound], 0
        if size < _SMALL:
            data = zlib.decompress(look[at : at + bound], bufsize=size + 1)
            if len(data) == size:
                return data
        else:
            inflate = zlib.decompressobj()
            data = inflate.decompress(look, size + 1)
            if len(data) == size and inflate.eof:
                return data
        raise self._wrong("has an entry that is not of its stated size")

    def _wrong(self, message: str) -> EvidenceError:
        return EvidenceError(f"{self.name} {message}", hint=_HINT)


def _mapped(path: Path) -> mmap.mmap:
    try:
        with path.open("rb") as file:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:
        raise EvidenceError(f"{path.name} cannot be read: {error}", hint=_HINT) from error
