"""The one comparator: an expectation against an observed value.

Rules, prechecks, second looks and rollbacks all come through here, so a fix is judged by exactly
what found the fault (lesson 2).

Rule 1: There are three answers: yes, no, and "cannot be compared". Only yes is yes.
Rule 2: "Cannot be compared" stays so under ``not``: an absent value, or one of another type, does
        not become right because something was expected *not* to be so. Presence is comparable
        always, so ``not: {absent: true}`` and ``any: [{absent: true}, …]`` mean what they say.
Rule 3: Types are exact: ``1``, ``"1"`` and ``true`` are three different things.
"""

from collections.abc import Callable, Iterable, Mapping

from reconciler.diff.pattern import pattern_problem, whole_match
from reconciler.model.expectation import Expectation, Op
from reconciler.model.values import Scalar, Value, fits, kind_of

__all__ = ["meets", "pattern_problem"]

_Operand = Scalar | tuple[Scalar, ...] | None


def meets(expectation: Expectation, value: Value) -> bool:
    """Whether an observed value meets an expectation. Raises nothing."""
    return _compare(expectation, value) is True


def _compare(expectation: Expectation, value: Value) -> bool | None:
    match expectation.op:
        case "all":
            return _all([_compare(inner, value) for inner in expectation.inner])
        case "any":
            return _any([_compare(inner, value) for inner in expectation.inner])
        case "not":
            return _not(_compare(expectation.inner[0], value)) if expectation.inner else None
        case "each":
            return _each(expectation, value)
        case "absent":
            wanted = expectation.value
            return (value is None) is wanted if isinstance(wanted, bool) else None
        case _:
            return _SIMPLE[expectation.op](expectation.value, value)


def _all(answers: list[bool | None]) -> bool | None:
    if False in answers:
        return False
    return None if None in answers or not answers else True


def _any(answers: list[bool | None]) -> bool | None:
    if True in answers:
        return True
    return None if None in answers or not answers else False


def _not(answer: bool | None) -> bool | None:
    return None if answer is None else not answer


def _each(expectation: Expectation, value: Value) -> bool | None:
    if not isinstance(value, tuple) or len(expectation.inner) != 1:
        return None
    if value == ():
        return True
    return _all([_compare(expectation.inner[0], item) for item in value])


def _equals(operand: _Operand, value: Value) -> bool | None:
    return _typed(operand) == _typed(value) if _comparable(operand, value) else None


def _one_of(operand: _Operand, value: Value) -> bool | None:
    if not isinstance(operand, tuple) or isinstance(value, tuple):
        return None
    same = [_equals(item, value) for item in operand]
    return None if all(answer is None for answer in same) else True in same


def _at_least(operand: _Operand, value: Value) -> bool | None:
    return value >= operand if _whole(operand) and _whole(value) else None  # type: ignore[operator]


def _at_most(operand: _Operand, value: Value) -> bool | None:
    return value <= operand if _whole(operand) and _whole(value) else None  # type: ignore[operator]


def _matches(operand: _Operand, value: Value) -> bool | None:
    if not isinstance(operand, str) or not isinstance(value, str):
        return None
    return whole_match(operand, value)


def _of_sets(
    compare: Callable[[set[object], set[object]], bool],
) -> Callable[[_Operand, Value], bool | None]:
    def over_lists(operand: _Operand, value: Value) -> bool | None:
        if not isinstance(operand, tuple) or not isinstance(value, tuple):
            return None
        if not _comparable(operand, value):
            return None
        return compare(_items(operand), _items(value))

    return over_lists


_SIMPLE: Mapping[Op, Callable[[_Operand, Value], bool | None]] = {
    "equals": _equals,
    "one_of": _one_of,
    "at_least": _at_least,
    "at_most": _at_most,
    "matches": _matches,
    "contains_all": _of_sets(lambda wanted, seen: wanted <= seen),
    "contains_none": _of_sets(lambda unwanted, seen: not unwanted & seen),
    "subset_of": _of_sets(lambda allowed, seen: seen <= allowed),
    "same_set": _of_sets(lambda wanted, seen: wanted == seen),
}


def _comparable(operand: _Operand, value: Value) -> bool:
    kind = kind_of(operand) if operand != () else kind_of(value)
    return kind is not None and fits(operand, kind) and fits(value, kind)


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _typed(value: Value) -> object:
    if isinstance(value, tuple):
        return [(type(item), item) for item in value]
    return (type(value), value)


def _items(values: Iterable[Scalar]) -> set[object]:
    return {(type(item), item) for item in values}
