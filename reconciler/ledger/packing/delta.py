"""Git's deltas: an object said as copies from another one, and insertions.

Neighbours in a ledger are alike in a special way: a commit has the fields of the next one with
other values, a tree is the next one without its last node. Comparing field by field finds more, at
a fraction of the cost, than looking for common blocks, which is what is done with all the rest.
"""

import re
from collections.abc import Iterator

from reconciler.ledger.packing.form import number

LARGEST = 256 * 1024
"""In bytes: two objects larger than this are not compared."""

_MAX_COPY = 0xFFFF
_MAX_INSERT = 127
_SHORTEST = 8
"""In bytes: a copy costs up to five, and says less to the compression that follows."""
_SAME = re.compile(rb"\x00{%d,}" % _SHORTEST)
_BLOCK = 16

Run = tuple[int, int, int]
"""Where in the base, where in the target, how long."""


def apply(base: bytes, delta: bytes, limit: int) -> bytes | None:
    """The object that a delta says; None if the delta does not fit its base.

    Args:
        base: The object that is copied from.
        delta: Stated sizes of both, then copies and insertions.
        limit: Most bytes that the object may have.
    """
    try:
        size, wanted, at = _sizes(delta)
        if size != len(base) or wanted > limit:
            return None
        parts, total = _parts(base, delta, at, wanted)
    except IndexError:
        return None
    made = b"".join(parts)
    # Of parts that lie outside the base or the delta, less is there than was stated.
    return made if len(made) == total == wanted else None


def _sizes(delta: bytes) -> tuple[int, int, int]:
    """Stated sizes of both objects, and where the commands begin."""
    one, two, three, four = delta[:4].ljust(4, b"\xff")
    if one > 0x7F >= two and three > 0x7F >= four:
        # From 128 bytes to 16 KiB, as nearly all are.
        return one & 0x7F | two << 7, three & 0x7F | four << 7, 4
    size, at = _size(delta, 0)
    wanted, at = _size(delta, at)
    return size, wanted, at


def _parts(base: bytes, delta: bytes, at: int, wanted: int) -> tuple[list[bytes], int]:
    """What each command stands for, and how much that ought to be; stops at too much.

    Most of the time that an audit spends in reading is spent in this loop.
    """
    parts: list[bytes] = []
    add = parts.append
    end, total = len(delta), 0
    while at < end:
        command = delta[at]
        if command < 0x80:
            at += 1
            stop = at + command
            add(delta[at:stop])
            at = stop
            total += command
            continue
        if command == 0x93:
            start, length = delta[at + 1] | delta[at + 2] << 8, delta[at + 3]
            at += 4
        elif command == 0x91:
            start, length = delta[at + 1], delta[at + 2]
            at += 3
        else:
            start, length, at = _copy(delta, at + 1, command)
        add(base[start : start + length])
        total += length
        if total > wanted:
            break
    return parts, total


def _copy(delta: bytes, at: int, command: int) -> tuple[int, int, int]:
    """Start and length of a copy: of seven bytes, those that the command says are there."""
    value = shift = 0
    bits = command & 0x7F
    while bits:
        if bits & 1:
            value |= delta[at] << shift
            at += 1
        shift += 8
        bits >>= 1
    return value & 0xFFFFFFFF, value >> 32 or 0x10000, at


def _size(data: bytes, at: int) -> tuple[int, int]:
    """A number of seven bits a byte, low ones first, and where it ends."""
    value = shift = 0
    while at < len(data) and shift < 64:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        shift += 7
        at += 1
        if byte < 0x80:
            break
    return value, at


def make(base: bytes, target: bytes) -> bytes | None:
    """A delta that says one object by another, the same for the same two; None if it is no use.

    Args:
        base: The object that is copied from.
        target: The object that is said.
    """
    if not base or not target or max(len(base), len(target)) > LARGEST:
        return None
    parts = [number(len(base)), number(len(target))]
    at = 0
    for start, position, length in _runs(base, target):
        parts += _inserts(target[at:position])
        parts += _copies(start, length)
        at = position + length
    parts += _inserts(target[at:])
    made = b"".join(parts)
    return made if len(made) < len(target) else None


def _runs(base: bytes, target: bytes) -> Iterator[Run]:
    """What the two have in common, in the order of the target."""
    head = _common(base, target)
    tail = _common(base[head:][::-1], target[head:][::-1])
    if head >= _SHORTEST:
        yield 0, 0, head
    else:
        head = 0
    tail = tail if tail >= _SHORTEST else 0
    ends = len(base) - tail, len(target) - tail
    old, new = base[head : ends[0]], target[head : ends[1]]
    for start, position, length in _inner(old, new):
        yield head + start, head + position, length
    if tail:
        yield *ends, tail


def _common(one: bytes, two: bytes) -> int:
    """How many bytes two strings share at their beginning, found by halving."""
    low, high = 0, min(len(one), len(two))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == two[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _inner(old: bytes, new: bytes) -> list[Run]:
    """By field or by place if that finds half of it; by blocks otherwise, if those find more."""
    runs: list[Run] = []
    before, after = old.split(b","), new.split(b",")
    if len(before) == len(after):
        runs = list(_by_fields(before, after))
    elif len(old) == len(new):
        runs = list(_in_place(old, new, 0, 0))
    if 2 * _length(runs) >= len(new):
        return runs
    return max(runs, list(_by_blocks(old, new)), key=_length)


def _length(runs: list[Run]) -> int:
    return sum(length for _, _, length in runs)


def _in_place(old: bytes, new: bytes, start: int, position: int) -> Iterator[Run]:
    """Runs of two strings of one length that are equal where they stand."""
    difference = int.from_bytes(old, "big") ^ int.from_bytes(new, "big")
    for match in _SAME.finditer(difference.to_bytes(len(old), "big")):
        yield start + match.start(), position + match.start(), match.end() - match.start()


def _by_fields(before: list[bytes], after: list[bytes]) -> Iterator[Run]:
    """Runs of two lists of fields: each field against its own, neighbours of one length at once."""
    start = position = first = 0
    for place, (one, two) in enumerate(zip(before, after, strict=True)):
        if len(one) == len(two):
            continue
        # The field that changed its length parts what is before it from what is after it.
        head = _common(one, two)
        old = b",".join([*before[first:place], one[:head]])
        new = b",".join([*after[first:place], two[:head]])
        yield from _in_place(old, new, start, position)
        tail = _common(one[head:][::-1], two[head:][::-1])
        before[place], after[place] = one[len(one) - tail :], two[len(two) - tail :]
        start += len(old) + len(one) - head - tail
        position += len(new) + len(two) - head - tail
        first = place
    yield from _in_place(b",".join(before[first:]), b",".join(after[first:]), start, position)


def _by_blocks(old: bytes, new: bytes) -> Iterator[Run]:
    """Runs that begin with a whole block of the older string, wherever they are."""
    starts = range(0, len(old) - _BLOCK + 1, _BLOCK)
    known = {old[start : start + _BLOCK]: start for start in reversed(starts)}
    at = free = 0
    while at <= len(new) - _BLOCK:
        start = known.get(new[at : at + _BLOCK])
        if start is None:
            at += 1
            continue
        back = _common(old[max(0, start - at + free) : start][::-1], new[free:at][::-1])
        start, at = start - back, at - back
        length = _common(old[start:], new[at:])
        yield start, at, length
        at = free = at + length


def _inserts(data: bytes) -> Iterator[bytes]:
    for at in range(0, len(data), _MAX_INSERT):
        part = data[at : at + _MAX_INSERT]
        yield bytes((len(part),)) + part


def _copies(start: int, length: int) -> Iterator[bytes]:
    while length:
        size = min(length, _MAX_COPY)
        command, numbers = 0x80, bytearray()
        value = start | size << 32
        for bit in range(7):
            byte = value >> 8 * bit & 0xFF
            if byte:
                command |= 1 << bit
                numbers.append(byte)
        yield bytes((command, *numbers))
        start += size
        length -= size
