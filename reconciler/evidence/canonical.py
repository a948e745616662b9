"""Canonical JSON: the one byte form of every value that is hashed or signed.

A subset of RFC 8785 (JSON Canonicalization Scheme): keys are ASCII, numbers are integers that an
IEEE double holds exactly, text is valid Unicode. On that subset the standard library's sorted,
compact output *is* RFC 8785; everything else is refused, so no two encoders can disagree.

Rule 1: What cannot be written exactly is refused, never rounded or replaced.
Rule 2: What was read must be, byte for byte, what we would have written.
"""

import hashlib
import json
from collections.abc import Callable
from functools import cache
from typing import Any, NoReturn

from reconciler.errors import EvidenceError

MAX_INTEGER = 2**53 - 1
MAX_DEPTH = 32
MAX_BYTES = 4 * 1024 * 1024

_HINT = "Evidence is canonical JSON (RFC 8785) with ASCII keys, integers and no floats."
_PLAIN = frozenset({str, bool, type(None)})
_DIGITS = bytes.maketrans(b"123456789", b"000000000")
_LONG = tuple(mark + b"0" * 16 for mark in (b":", b",", b"[", b"-"))
"""How an integer begins that may be beyond `MAX_INTEGER`, by `_DIGITS`."""
_NO_BRACKETS = bytes(set(range(256)) - set(b'{}[]"'))
_encode = json.JSONEncoder(
    ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
).encode


def encode(value: Any) -> bytes:
    """The canonical bytes of a value made of ``dict, list, str, int, bool, None``.

    Raises:
        EvidenceError: Another type (also a subclass), a float, an integer beyond ±(2^53-1), a key
            that is not ASCII text, a lone surrogate, or more than 32 levels.
    """
    _check(value)
    try:
        return _encode(value).encode("utf-8")
    except UnicodeEncodeError as error:
        raise _refusal("text holds a lone surrogate") from error


def decode(data: bytes, limit: int = MAX_BYTES) -> Any:
    """Read canonical bytes; anything that is not exactly canonical is refused.

    Args:
        data: Bytes from outside.
        limit: Largest size in bytes that is looked at.

    Raises:
        EvidenceError: Too large, not JSON, duplicate or unsorted keys, white space, floats, NaN,
            too deep, or any other difference from what `encode` writes.
    """
    if len(data) > limit:
        raise _refusal(f"document of {len(data)} bytes is larger than {limit}")
    try:
        text = data.decode("utf-8")
        value = _decoder()(text)
    except RecursionError as error:
        raise _refusal(f"document is deeper than {MAX_DEPTH} levels") from error
    except ValueError as error:
        raise _refusal(f"document is not JSON: {error}") from error
    # What is plainly within bounds need not be looked at item by item.
    if not (_plain(data) and _encode(value) == text) and encode(value) != data:
        raise _refusal("document is not in canonical form (order, duplicate keys, spaces, escapes)")
    return value


def digest(value: Any) -> str:
    """Hex SHA-256 of bytes as they are, or of the canonical bytes of any other value.

    Raises:
        EvidenceError: The value has no canonical form.
    """
    return hashlib.sha256(value if isinstance(value, bytes) else encode(value)).hexdigest()


@cache
def _decoder() -> Callable[[str], Any]:
    return json.JSONDecoder(parse_float=_no_float, parse_constant=_no_float).decode


def _plain(data: bytes) -> bool:
    """Whether JSON can hold no key, number or depth that `encode` refuses, whatever it says."""
    if not data.isascii() or b"\\" in data or not _shallow(data):
        return False
    digits = b":" + data.translate(_DIGITS)
    return not any(long in digits for long in _LONG)


def _shallow(data: bytes) -> bool:
    """Whether JSON is plainly within `MAX_DEPTH`: few brackets, or many and none in its text."""
    if data.count(b"{") + data.count(b"[") < MAX_DEPTH:
        return True
    # Of text without brackets, two quotes side by side are left; of other text, an odd one.
    brackets = data.translate(None, _NO_BRACKETS).replace(b'""', b"")
    for _ in range(MAX_DEPTH - 1):
        if not brackets:
            return True
        brackets = brackets.replace(b"{}", b"").replace(b"[]", b"")
    return not brackets


def _check(value: Any) -> None:
    # Level by level, not recursively: this is the hot loop of an audit.
    level = [value]
    for _ in range(MAX_DEPTH):
        inner: list[Any] = []
        for item in level:
            kind = type(item)
            if kind is dict:
                _check_keys(item)
                inner.extend(item.values())
            elif kind is list:
                inner.extend(item)
            elif kind not in _PLAIN:
                _check_number(item)
        if not inner:
            return
        level = inner
    raise _refusal(f"document is deeper than {MAX_DEPTH} levels")


def _check_keys(item: dict[Any, Any]) -> None:
    for key in item:
        if type(key) is not str or not key.isascii():
            raise _refusal(f"key {key!r:.60} is not ASCII text")


def _check_number(item: Any) -> None:
    # Exact types: a subclass may print itself differently from what it compares equal to.
    if type(item) is not int:
        raise _refusal(f"a {type(item).__name__} has no place in evidence")
    if not -MAX_INTEGER <= item <= MAX_INTEGER:
        raise _refusal(f"integer {str(item)[:24]} is beyond 2^53-1")


def _no_float(text: str) -> NoReturn:
    raise _refusal(f"number {text[:24]} is not an integer")


def _refusal(message: str) -> EvidenceError:
    return EvidenceError(message, hint=_HINT)
