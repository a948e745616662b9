"""Nix's own base 32: how Nix writes the hash of an archive where people see it.

Rule 1: The digits are those of Nix (no e, o, u, t); the last five bits come first.
Rule 2: There is one text for one digest: digits that would set bits beyond its end are refused.
"""

_DIGITS = "0123456789abcdfghijklmnpqrsvwxyz"
_VALUES = {digit: value for value, digit in enumerate(_DIGITS)}


def encode(digest: bytes) -> str:
    """The text of a digest: 52 characters for SHA-256."""
    number = int.from_bytes(digest, "little")
    length = (len(digest) * 8 + 4) // 5
    return "".join(_DIGITS[number >> 5 * at & 31] for at in reversed(range(length)))


def decode(text: str, size: int = 32) -> bytes:
    """The digest that a text writes.

    Args:
        text: In Nix's base 32.
        size: Bytes of the digest.

    Raises:
        ValueError: Another length, another digit, or more bits than the digest has.
    """
    if len(text) != (size * 8 + 4) // 5:
        raise ValueError(f"{len(text)} digits are not those of {size} bytes")
    number = 0
    for digit in text:
        if digit not in _VALUES:
            raise ValueError(f"{digit!r} is no digit of Nix's base 32")
        number = number << 5 | _VALUES[digit]
    if number >> size * 8:
        raise ValueError("the first digit sets bits that the digest does not have")
    return number.to_bytes(size, "little")
