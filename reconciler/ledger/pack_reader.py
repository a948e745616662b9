"""Objects out of a pack, read by us.

Source: Git's ``gitformat-pack``. libgit2 (1.9.7) trusts a pack's index: one flipped byte in it can
end the process. An auditor opens repositories that somebody may have prepared, so here every number
that a file states is checked before it is used, and every inflation is bounded.
"""

import mmap
import struct
import zlib
from collections import OrderedDict
from pathlib import Path

from reconciler.errors import EvidenceError
from reconciler.ledger.loose import MAX_OBJECT

_KINDS = {1: "commit", 2: "tree", 3: "blob", 4: "tag"}
_OFFSET_DELTA, _NAMED_DELTA = 6, 7
_INDEX_MAGIC = b"\xfftOc\x00\x00\x00\x02"
_FANOUT_AT, _NAMES_AT = 8, 8 + 256 * 4
_FIRST_ENTRY = 12
_LARGE = 0x80000000
_MAX_CHAIN = 4096
_LONGEST_HEAD = 32
"""In bytes: type and size (up to 10), then the base (up to 20)."""
_KEPT = 256
_HINT = "Restore the pack from a clone."


class PackReader:
    """One pack with its index, mapped into memory."""

    def __init__(self, index: Path) -> None:
        """Map a pack.

        Args:
            index: The ``.idx`` file; its ``.pack`` lies beside it.

        Raises:
            EvidenceError: Either is missing or is not of version 2.
        """
        self._name = index.stem
        self._index = _mapped(index)
        self._pack = _mapped(index.with_suffix(".pack"))
        short = len(self._index) < _NAMES_AT
        if short or self._index[:8] != _INDEX_MAGIC or self._pack[:8] != b"PACK\x00\x00\x00\x02":
            raise self._wrong("is not of version 2")
        self._fanout = (0, *struct.unpack_from(">256I", self._index, _FANOUT_AT))
        self._count = self._fanout[256]
        self._kept: OrderedDict[int, tuple[str, bytes]] = OrderedDict()

    def read(self, oid: bytes) -> tuple[str, bytes] | None:
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

    def _find(self, oid: bytes) -> int | None:
        first = oid[0]
        start = _NAMES_AT + self._fanout[first] * 20
        end = _NAMES_AT + self._fanout[first + 1] * 20
        at = self._index.find(oid, start, end)
        while at != -1 and (at - start) % 20:
            # The end of one name and the beginning of the next happen to spell it.
            at = self._index.find(oid, at + 1, end)
        return None if at == -1 else (at - _NAMES_AT) // 20

    def _offset(self, position: int) -> int:
        offset = self._number(_NAMES_AT + self._count * 24 + position * 4)
        if offset & _LARGE:
            at = _NAMES_AT + self._count * 28 + (offset & ~_LARGE) * 8
            offset = int.from_bytes(self._index[at : at + 8], "big")
        return offset

    def _object(self, offset: int) -> tuple[str, bytes]:
        """The object at an offset: its chain of deltas down to a whole object, then up again."""
        chain: list[tuple[int, bytes]] = []
        known = self._kept.get(offset)
        at = offset
        while known is None:
            number, base, data = self._entry(at)
            if base is None:
                known = (self._kind(number), data)
            else:
                chain.append((at, data))
                if len(chain) > _MAX_CHAIN:
                    raise self._wrong("has an endless chain of deltas")
                at = base
                known = self._kept.get(at)
        self._keep(at, known)
        for at, delta in reversed(chain):
            known = (known[0], self._applied(known[1], delta))
            self._keep(at, known)
        return known

    def _kind(self, number: int) -> str:
        if number not in _KINDS:
            raise self._wrong(f"holds an entry of type {number}")
        return _KINDS[number]

    def _keep(self, at: int, known: tuple[str, bytes]) -> None:
        self._kept[at] = known
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)

    def _entry(self, offset: int) -> tuple[int, int | None, bytes]:
        """Type, offset of the base if it is a delta, and inflated data of one entry."""
        if not _FIRST_ENTRY <= offset < len(self._pack) - 20:
            raise self._wrong("has an entry outside it")
        head = self._pack[offset : offset + _LONGEST_HEAD].ljust(_LONGEST_HEAD, b"\0")
        number = head[0] >> 4 & 7
        size, at = _number(head, 0)
        size = size >> 7 << 4 | head[0] & 15
        base: int | None = None
        if number == _OFFSET_DELTA:
            base, at = self._base_before(offset, head, at)
        elif number == _NAMED_DELTA:
            base, at = self._base_named(head[at : at + 20]), at + 20
        return number, base, self._inflated(offset + at, size)

    def _base_before(self, offset: int, head: bytes, at: int) -> tuple[int, int]:
        back = head[at] & 0x7F
        while head[at] & 0x80 and at < _LONGEST_HEAD - 1:
            at += 1
            back = (back + 1) << 7 | head[at] & 0x7F
        if not 0 < back < offset:
            raise self._wrong("has a delta of something outside it")
        return offset - back, at + 1

    def _base_named(self, oid: bytes) -> int:
        position = self._find(oid) if len(oid) == 20 else None
        if position is None:
            raise self._wrong("has a delta of something outside it")
        return self._offset(position)

    def _inflated(self, at: int, size: int) -> bytes:
        if size > MAX_OBJECT:
            raise self._wrong(f"holds {size} bytes in one entry")
        # zlib's own bound on what data of this size can be compressed to.
        bound = size + (size >> 12) + (size >> 14) + (size >> 25) + 64
        inflate = zlib.decompressobj()
        data = inflate.decompress(self._pack[at : at + bound], size + 1)
        if len(data) != size or not inflate.eof:
            raise self._wrong("has an entry that is not of its stated size")
        return data

    def _applied(self, base: bytes, delta: bytes) -> bytes:
        """A delta applied: copies from the base, and insertions."""
        wanted_base, at = _number(delta, 0)
        wanted, at = _number(delta, at)
        parts: list[bytes] = []
        total = 0
        while at < len(delta) and total <= min(wanted, MAX_OBJECT):
            command = delta[at]
            at += 1
            if command & 0x80:
                start, length, at = _copy(delta, at, command)
                part = base[start : start + length]
            else:
                part = delta[at : at + command]
                at += command
            total += len(part)
            parts.append(part)
        if (len(base), total, at) != (wanted_base, wanted, len(delta)):
            raise self._wrong("has a delta that does not fit")
        return b"".join(parts)

    def _number(self, at: int) -> int:
        return int.from_bytes(self._index[at : at + 4], "big")

    def _wrong(self, message: str) -> EvidenceError:
        return EvidenceError(f"{self._name} {message}", hint=_HINT)


def _number(data: bytes, at: int) -> tuple[int, int]:
    """A number of seven bits a byte, low ones first, and where it ends."""
    number = shift = 0
    while at < len(data):
        byte = data[at]
        number |= (byte & 0x7F) << shift
        shift += 7
        at += 1
        if byte < 0x80:
            break
    return number, at


def _copy(delta: bytes, at: int, command: int) -> tuple[int, int, int]:
    """Start and length of a copy: of seven bytes, those that the command says are there."""
    value = shift = 0
    bits = command & 0x7F
    while bits and at < len(delta):
        if bits & 1:
            value |= delta[at] << shift
            at += 1
        shift += 8
        bits >>= 1
    return value & 0xFFFFFFFF, value >> 32 or 0x10000, at


def _mapped(path: Path) -> mmap.mmap:
    try:
        with path.open("rb") as file:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as error:
        raise EvidenceError(f"{path.name} cannot be read: {error}", hint=_HINT) from error
