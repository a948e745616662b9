"""Plain YAML scalars: only those that every reader understands in the same way.

The YAML 1.2 core schema (section 10.3.2) is the yardstick. Where it and YAML 1.1 disagree on a
spelling that looks like a number, a boolean or a null, the spelling is refused instead of guessed:
``0600`` is 384 to one reader, 600 to another and text to a third.
"""

import re

from reconciler.model.values import Scalar

LARGEST_INTEGER = 2**53 - 1
"""Beyond this, JSON readers disagree (RFC 8785 section 3.2.2.3)."""

_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None}
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,15})")
_SPELLINGS = re.compile(r"True|TRUE|False|FALSE|Null|NULL|~")
_NUMBER = re.compile(
    r"""[-+]?[0-9][0-9_]*                            # 0600, +5, 1_000, 99999999999999999
    | 0x[0-9a-fA-F_]+ | 0o[0-7_]+ | 0b[01_]+         # other bases
    | [-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?
    | [-+]?\.(?:inf|Inf|INF) | \.(?:nan|NaN|NAN)""",
    re.VERBOSE,
)


def plain(text: str) -> Scalar | None:
    """The value of a plain (unquoted) scalar.

    ``yes``, ``no``, ``on``, ``off``, dates and times stay text.

    Raises:
        ValueError: The spelling is ambiguous or not allowed; the message says what to write.
    """
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text) and abs(int(text)) <= LARGEST_INTEGER:
        return int(text)
    if not text:
        raise ValueError("has no value; leave the field out or write null")
    if _SPELLINGS.fullmatch(text):
        meant = "null" if text == "~" else text.lower()
        raise ValueError(f"{text} is ambiguous; write {meant}, or put it in quotes")
    if _NUMBER.fullmatch(text):
        raise ValueError(
            f"{_short(text)} is not a plain decimal integer of at most 53 bits; "
            "if it is text, put it in quotes"
        )
    return text


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:37] + "..."
