"""Synthetic violations: observations that a rule must call a failure, and one that it passes.

Made from the rule's own expectations and the check's field types, so that a rule that nothing can
violate, or nothing can meet, is found before a machine shows it.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from reconciler.diff.compare import meets
from reconciler.model.check import Check
from reconciler.model.desired import BoundRule
from reconciler.model.expectation import Expectation
from reconciler.model.values import Kind, Scalar, Value

STRANGE = "drifted"
_SAMPLES: Mapping[Kind, Value] = {
    "bool": True,
    "int": 1,
    "str": STRANGE,
    "list[str]": (STRANGE,),
    "list[int]": (1,),
}


@dataclass(frozen=True, slots=True)
class Violation:
    """An observation that breaks one field of a rule and meets every other.

    Attributes:
        field: The field that is wrong.
        values: Of every field of which something is expected.
    """

    rule: str
    field: str
    values: Mapping[str, Value]


def compliant(rule: BoundRule, check: Check) -> Mapping[str, Value]:
    """Values that meet everything that a rule expects."""
    return {name: _met(expected, check.fields[name].kind) for name, expected in rule.expect.items()}


def violations(rule: BoundRule, check: Check) -> Iterator[Violation]:
    """Every way that is known to break a rule in one field alone."""
    good = compliant(rule, check)
    for name, expected in rule.expect.items():
        for value in broken(expected, check.fields[name].kind):
            yield Violation(rule.id, name, {**good, name: value})


def broken(expected: Expectation, kind: Kind) -> tuple[Value, ...]:
    """Values of a kind that do not meet an expectation, by what it compares."""
    match expected.op:
        case "all":
            return tuple(value for inner in expected.inner for value in broken(inner, kind))
        case "any":
            tried = [value for inner in expected.inner for value in broken(inner, kind)]
            return tuple(v for v in tried if not any(meets(i, v) for i in expected.inner))
        case "not":
            return (_met(expected.inner[0], kind),)
        case "each":
            item: Kind = "int" if kind == "list[int]" else "str"
            wrong = broken(expected.inner[0], item)
            return tuple((v,) for v in wrong if v is not None and not isinstance(v, tuple))
        case "absent":
            return (_SAMPLES[kind],) if expected.value else (None,)
        case _:
            return _BROKEN[expected.op](expected.value, kind)


def _met(expected: Expectation, kind: Kind) -> Value:
    match expected.op:
        case "all" | "any":
            tried = [_met(inner, kind) for inner in expected.inner]
            return next((value for value in tried if meets(expected, value)), None)
        case "not":
            return broken(expected.inner[0], kind)[0]
        case "each" | "contains_none":
            return ()
        case "absent":
            return None if expected.value else _SAMPLES[kind]
        case "one_of":
            return _items(expected.value)[0]
        case _:
            return expected.value


def _items(value: Value) -> tuple[Scalar, ...]:
    return value if isinstance(value, tuple) else ()


def _number(value: Value) -> int:
    return value if isinstance(value, int) else 0


def _other(value: Value, kind: Kind) -> tuple[Value, ...]:
    """Values that are not this one, each of the same kind."""
    if isinstance(value, bool):
        return (not value,)
    if isinstance(value, int):
        return (value + 1, value - 1)
    if isinstance(value, tuple):
        return _another(value, kind)
    return (f"{value}-{STRANGE}",)


def _another(value: Value, kind: Kind) -> tuple[Value, ...]:
    """The same list with one item more, and without any where there were some."""
    items = _items(value)
    strange: Scalar = 2**31 if kind == "list[int]" else STRANGE
    return ((*items, strange), *(((),) if items else ()))


def _none_of(value: Value, kind: Kind) -> tuple[Value, ...]:
    return (max(map(_number, _items(value))) + 1,) if kind == "int" else (STRANGE,)


_BROKEN: Mapping[str, Callable[[Value, Kind], tuple[Value, ...]]] = {
    "equals": _other,
    "one_of": _none_of,
    "at_least": lambda value, _kind: (_number(value) - 1,),
    "at_most": lambda value, _kind: (_number(value) + 1,),
    "matches": lambda _value, _kind: ("\x7f",),
    "contains_all": lambda _value, _kind: ((),),
    "contains_none": lambda value, _kind: (value,),
    "subset_of": lambda value, kind: _another(value, kind)[:1],
    "same_set": _another,
}
