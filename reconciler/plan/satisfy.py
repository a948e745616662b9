"""Whether any value at all can meet some conditions: what makes two healing rules collide.

Rule 1: "Yes" is shown by a value that the comparator itself takes; "no" only where every value that
        could make a difference was tried. Anything else is "not decided", and is said to be so.
Rule 2: Comparisons with whole numbers change their answer only at the numbers that they name, and
        comparisons of text without patterns only at the texts that they name: trying those, what
        lies between, and one that nobody named, tries everything.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, combinations, count
from typing import Literal

from reconciler.diff.compare import meets
from reconciler.model.expectation import Expectation
from reconciler.model.values import Kind, Scalar, Value, fits
from reconciler.plan.example import example
from reconciler.plan.facts import finite

Answer = Literal["yes", "no", "undecided"]

MOST_ITEMS = 8
"""Items of lists whose every combination is tried."""
MOST_NAMED = 256
"""Numbers or texts that are tried; where more are named, "no" is not said."""


@dataclass(frozen=True, slots=True)
class Solved:
    """An answer, and the value that shows a yes."""

    answer: Answer
    value: Value = None


def solve(conditions: Sequence[Expectation], kind: Kind, *, optional: bool) -> Solved:
    """Whether one value of a kind can meet all conditions.

    Args:
        conditions: Of one fact.
        kind: Its type.
        optional: Whether "there is none" can be observed of it.
    """
    whole = Expectation("all", None, tuple(conditions))
    values, complete = _tried(whole, kind, optional=optional)
    for value in values:
        if meets(whole, value):
            return Solved("yes", value)
    return Solved("no" if complete else "undecided")


def implied(
    conditions: Sequence[Expectation], by: Sequence[Expectation], kind: Kind, *, optional: bool
) -> bool:
    """Whether every value that meets all of ``by`` is known to meet the conditions."""
    asked = Expectation("all", None, tuple(by))
    wanted = Expectation("all", None, tuple(conditions))
    given = finite(asked)
    if given is not None:
        return all(meets(wanted, value) for value in given)
    both = Expectation("all", None, (asked, wanted))
    values, complete = _every(both, kind)
    tried = (None, *values) if optional else values
    return complete and all(meets(wanted, value) for value in tried if meets(asked, value))


def _tried(whole: Expectation, kind: Kind, *, optional: bool) -> tuple[Iterable[Value], bool]:
    """Values to try, and whether they are all that can make a difference."""
    listed = finite(whole)
    values, complete = (listed, True) if listed is not None else _every(whole, kind)
    possible = (value for value in values if value is not None and fits(value, kind))
    return ((None, *possible) if optional else tuple(possible)), complete


def _every(whole: Expectation, kind: Kind) -> tuple[Sequence[Value], bool]:
    match kind:
        case "bool":
            return (True, False), True
        case "int":
            return _numbers(whole)
        case "str":
            return _texts(whole)
        case "list[int]":
            return _lists(whole, *_numbers(whole))
        case "list[str]":
            return _lists(whole, *_texts(whole))


def _numbers(whole: Expectation) -> tuple[list[int], bool]:
    named = sorted({value for value in _operands(whole) if type(value) is int})
    near = {n + step for n in named[:MOST_NAMED] for step in (-1, 0, 1)}
    return sorted({0, *near}), len(named) <= MOST_NAMED


def _texts(whole: Expectation) -> tuple[list[str], bool]:
    named = sorted({value for value in _operands(whole) if isinstance(value, str)})
    patterns = [*_patterns(whole)]
    examples = {text for pattern in patterns if (text := example(pattern)) is not None}
    unnamed = next(text for n in count(1) if (text := "x" * n) not in named)
    found = sorted({*named[:MOST_NAMED], *examples, unnamed})
    return found, not patterns and len(named) <= MOST_NAMED


def _lists(whole: Expectation, items: Sequence[Scalar], every: bool) -> tuple[list[Value], bool]:
    few = items[:MOST_ITEMS]
    sets = chain.from_iterable(combinations(few, size) for size in range(len(few) + 1))
    written = [value for value in _written(whole) if isinstance(value, tuple)]
    # Sets do not mind order; equality of lists does, and then not everything was tried.
    complete = every and len(items) <= MOST_ITEMS and not _minds_order(whole)
    return [*written, *sets], complete


def _minds_order(wanted: Expectation) -> bool:
    if wanted.op == "equals":
        return isinstance(wanted.value, tuple)
    return any(map(_minds_order, wanted.inner))


def _patterns(wanted: Expectation) -> Iterator[str]:
    if wanted.op == "matches" and isinstance(wanted.value, str):
        yield wanted.value
    for inner in wanted.inner:
        yield from _patterns(inner)


def _written(wanted: Expectation) -> Iterator[Value]:
    if wanted.value is not None:
        yield wanted.value
    for inner in wanted.inner:
        yield from _written(inner)


def _operands(wanted: Expectation) -> Iterator[Scalar]:
    for value in _written(wanted):
        if isinstance(value, tuple):
            yield from value
        elif value is not None:
            yield value
