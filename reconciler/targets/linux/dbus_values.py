"""D-Bus values (D-Bus Specification, "Type System"): to bytes and back, by signature.

Rule 1: Bytes from a bus are hostile: sizes and depth are bounded, and whatever does not fit its
        signature raises `Malformed`.
"""

import struct
from functools import lru_cache
from typing import Any

MAX_DEPTH = 32

_FIXED = {
    "y": "B",
    "b": "I",
    "n": "h",
    "q": "H",
    "i": "i",
    "u": "I",
    "x": "q",
    "t": "Q",
    "d": "d",
    "h": "I",
}
STRUCTS = {
    order: {kind: struct.Struct(order + code) for kind, code in _FIXED.items()} for order in "<>"
}
_ALIGNMENT = {kind: size.size for kind, size in STRUCTS["<"].items()} | {
    "s": 4, "o": 4, "g": 1, "v": 1, "a": 4, "(": 8, "{": 8,
}  # fmt: skip


class Malformed(ValueError):
    """Bytes that are not what the specification says."""


@lru_cache(maxsize=256)
def split(signature: str) -> tuple[str, ...]:
    """The single complete types of a signature: ``sa{sv}`` is ``s`` and ``a{sv}``.

    Raises:
        Malformed: An unknown type, or brackets that do not match.
    """
    kinds, at = [], 0
    while at < len(signature):
        end = _type_end(signature, at, 0)
        kinds.append(signature[at:end])
        at = end
    return tuple(kinds)


def _type_end(signature: str, at: int, depth: int) -> int:
    if depth > MAX_DEPTH or at >= len(signature):
        raise Malformed(f"signature {signature[:64]!r}")
    kind = signature[at]
    if kind == "a":
        return _type_end(signature, at + 1, depth + 1)
    if kind in "({":
        at += 1
        while at < len(signature) and signature[at] not in ")}":
            at = _type_end(signature, at, depth + 1)
        if at >= len(signature):
            raise Malformed(f"signature {signature[:64]!r}")
    elif kind not in _ALIGNMENT:
        raise Malformed(f"signature {signature[:64]!r}")
    return at + 1


def write(out: bytearray, kind: str, value: Any) -> None:
    """Append a value, little-endian, aligned from the start of ``out``.

    Raises:
        Malformed: It does not fit its type.
    """
    out += b"\0" * (-len(out) % _ALIGNMENT[kind[0]])
    try:
        if kind in _FIXED:
            out += STRUCTS["<"][kind].pack(value)
        elif kind in "sog":
            text = str(value).encode()
            out += (
                (bytes([len(text)]) if kind == "g" else struct.pack("<I", len(text))) + text + b"\0"
            )
        elif kind == "v":
            write(out, "g", value[0])
            write(out, value[0], value[1])
        elif kind[0] == "a":
            _write_array(out, kind[1:], value)
        else:
            for inner, item in zip(split(kind[1:-1]), value, strict=True):
                write(out, inner, item)
    except (struct.error, ValueError, TypeError) as error:
        raise Malformed(f"{value!r:.60} is no {kind}") from error


def _write_array(out: bytearray, kind: str, items: tuple[Any, ...]) -> None:
    length_at = len(out)
    out += b"\0\0\0\0"
    out += b"\0" * (-len(out) % _ALIGNMENT[kind[0]])
    start = len(out)
    for item in items:
        write(out, kind, item)
    struct.pack_into("<I", out, length_at, len(out) - start)


class Reader:
    """Reads values one after the other; positions count from the start of the message."""

    __slots__ = ("_at", "_data", "_depth", "_fixed")

    def __init__(self, data: bytes, order: str, at: int) -> None:
        self._data = data
        self._fixed = STRUCTS[order]
        self._at = at
        self._depth = 0

    def align(self, to: int) -> None:
        """Skip padding."""
        self._at += -self._at % to

    def read(self, kind: str) -> Any:
        """One value: dict for a dict array, bytes for ``ay``, list for others and for structs."""
        fixed = self._fixed.get(kind)
        if fixed is not None:
            self.align(fixed.size)
            value = fixed.unpack_from(self._data, self._at)[0]
            self._at += fixed.size
            return bool(value) if kind == "b" else value
        if kind in "so":
            return self._text(self.read("u"))
        if kind == "g":
            return self._text(self.read("y"))
        return self._container(kind)

    def _container(self, kind: str) -> Any:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise Malformed("nested too deep")
        value: Any
        if kind == "v":
            (inner,) = split(self.read("g")) or ("",)
            value = self.read(inner)
        elif kind[0] == "a":
            value = self._array(kind[1:])
        else:
            self.align(8)
            value = [self.read(inner) for inner in split(kind[1:-1])]
        self._depth -= 1
        return value

    def _array(self, kind: str) -> Any:
        size = self.read("u")
        self.align(_ALIGNMENT[kind[0]])
        end = self._at + size
        if end > len(self._data):
            raise Malformed("array is longer than its message")
        if kind == "y":
            self._at, start = end, self._at
            return self._data[start:end]
        items = []
        while self._at < end:
            items.append(self.read(kind))
        return dict(items) if kind[0] == "{" else items

    def _text(self, size: int) -> str:
        end = self._at + size
        if end >= len(self._data):
            raise Malformed("text is longer than its message")
        text = self._data[self._at : end].decode()
        self._at = end + 1
        return text
