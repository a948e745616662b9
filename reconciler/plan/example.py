"""One text that a pattern of a policy matches, to show that something can meet it.

It need not find one: whoever asks lets the comparator judge what comes out.
"""

import re._constants as op  # type: ignore[import-not-found]  # the standard library's, untyped
import re._parser as parser  # type: ignore[import-not-found]
from collections.abc import Sequence
from typing import Any

from reconciler.diff.compare import pattern_problem

MOST = 256
"""Longest example, in characters."""

_CATEGORIES = {
    op.CATEGORY_DIGIT: "0",
    op.CATEGORY_NOT_DIGIT: "a",
    op.CATEGORY_SPACE: " ",
    op.CATEGORY_NOT_SPACE: "a",
    op.CATEGORY_WORD: "a",
    op.CATEGORY_NOT_WORD: "-",
}


def example(pattern: str) -> str | None:
    """A short text that a pattern probably matches; ``None`` when none was found."""
    if pattern_problem(pattern) is not None:
        return None
    text = _text(parser.parse(pattern))
    return None if text is None or len(text) > MOST else text


def _text(parts: Sequence[Any]) -> str | None:
    texts: list[str] = []
    for code, argument in parts:
        text = _part(code, argument)
        if text is None or sum(map(len, texts)) > MOST:
            return None
        texts.append(text)
    return "".join(texts)


def _part(code: Any, argument: Any) -> str | None:
    if code in {op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT}:
        least, _most, body = argument
        text = _text(body)
        return None if text is None or least * len(text) > MOST else text * least
    if code is op.SUBPATTERN:
        return _text(argument[-1])
    if code is op.ATOMIC_GROUP:
        return _text(argument)
    return _text(argument[1][0]) if code is op.BRANCH else _character(code, argument)


def _character(code: Any, argument: Any) -> str | None:
    if code is op.AT:
        return ""
    if code is op.LITERAL:
        return chr(argument)
    if code is op.RANGE:
        return chr(argument[0])
    if code is op.CATEGORY:
        return _CATEGORIES.get(argument)
    if code is op.IN:
        first, value = argument[0]
        return _other(argument[1:]) if first is op.NEGATE else _character(first, value)
    if code is op.ANY:
        return "a"
    return _other([(op.LITERAL, argument)]) if code is op.NOT_LITERAL else None


def _other(refused: Sequence[Any]) -> str | None:
    """A character that a negated class does not name."""
    named = {_character(code, argument) for code, argument in refused}
    return next((character for character in "aA0-_. :/~" if character not in named), None)
