"""Regular expressions from policy files, kept from running away.

Python's matcher backtracks. A pattern such as ``(a+)+$`` takes longer than the machine will live
on a short hostile value, so a clinic's monitor would stop at a string that somebody else chose.

Rule 1: A pattern may hold only what is listed here; what is not listed is refused, not tried.
Rule 2: Nothing that can match in several ways may be repeated.
Rule 3: What is left is at worst a product of choices; the value's length is capped so that the
        product stays below `BUDGET`. A longer value does not match.
"""

import re
import re._constants as op  # type: ignore[import-not-found]  # the standard library's, untyped
import re._parser as parser  # type: ignore[import-not-found]
from collections.abc import Iterator, Sequence
from functools import lru_cache
from math import prod
from typing import Any

MAX_PATTERN = 512
"""Longest pattern, in characters."""
MAX_VALUE = 4096
"""Longest value that is ever matched, in characters."""
MIN_VALUE = 48
"""A pattern whose budget does not even allow values of this length is refused."""
BUDGET = 2**24
"""Most ways in which a match may be attempted; about a second."""

_REPEATS = {op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT}
_SINGLE = {op.LITERAL, op.NOT_LITERAL, op.ANY, op.IN, op.CATEGORY, op.AT}
_REFUSED = {
    op.GROUPREF: "a backreference",
    op.GROUPREF_EXISTS: "a backreference",
    op.GROUPREF_IGNORE: "a backreference",
    op.ASSERT: "a look-ahead or look-behind",
    op.ASSERT_NOT: "a look-ahead or look-behind",
}

_Choice = int | None
"""Ways in which one part can match: a fixed number, or ``None`` for "one per character"."""


class _Refused(ValueError):
    """The pattern may not be used; the message says why."""


def pattern_problem(pattern: str) -> str | None:
    """Why a pattern may not be used in a policy, or ``None`` when it may."""
    if len(pattern) > MAX_PATTERN:
        return f"is longer than {MAX_PATTERN} characters"
    try:
        longest = _longest_value(pattern)
    except _Refused as refused:
        return str(refused)
    except (re.error, OverflowError, RecursionError) as error:
        return f"is not a regular expression: {error}"
    return None if longest >= MIN_VALUE else "has too many parts that can vary"


def whole_match(pattern: str, value: str) -> bool | None:
    """Whether a pattern matches all of a value; ``None`` when it may not be tried."""
    if pattern_problem(pattern) is not None or len(value) > _longest_value(pattern):
        return None
    return re.fullmatch(pattern, value) is not None


@lru_cache(maxsize=512)
def _longest_value(pattern: str) -> int:
    choices = list(_choices(parser.parse(pattern), repeated=False))

    def affordable(length: int) -> bool:
        return prod(length + 1 if c is None else min(c, length + 1) for c in choices) <= BUDGET

    low, high = 0, MAX_VALUE
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if affordable(middle) else (low, middle - 1)
    return low


def _choices(parts: Sequence[Any], *, repeated: bool) -> Iterator[_Choice]:
    for code, argument in parts:
        if code in _REFUSED:
            raise _Refused(f"holds {_REFUSED[code]}")
        if code in _SINGLE:
            continue
        if code in _REPEATS:
            yield from _of_repeat(*argument, repeated=repeated)
        elif code is op.SUBPATTERN:
            yield from _choices(argument[-1], repeated=repeated)
        elif code is op.ATOMIC_GROUP:
            yield from _choices(argument, repeated=repeated)
        elif code is op.BRANCH:
            yield from _of_branch(argument[1], repeated=repeated)
        else:
            raise _Refused(f"holds {code}, which is not on the list")


def _of_repeat(least: int, most: Any, body: Sequence[Any], *, repeated: bool) -> Iterator[_Choice]:
    if least != most:
        if repeated:
            raise _Refused("repeats something that can itself vary in length")
        yield None if most is op.MAXREPEAT else int(most) - least + 1
    again = repeated or most is op.MAXREPEAT or int(most) > 1
    yield from _choices(body, repeated=again)


def _of_branch(branches: Sequence[Sequence[Any]], *, repeated: bool) -> Iterator[_Choice]:
    if repeated:
        raise _Refused("repeats a choice between alternatives")
    yield len(branches)
    for branch in branches:
        yield from _choices(branch, repeated=False)
