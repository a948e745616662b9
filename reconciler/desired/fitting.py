"""Whether what a policy writes fits what a check, a runbook or a kind of step declares."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from reconciler.desired.references import Typed
from reconciler.desired.suggest import did_you_mean
from reconciler.diff.compare import pattern_problem
from reconciler.model.parameter import Parameter
from reconciler.model.rule import ParameterValue, RawExpectation, Ref
from reconciler.model.values import Kind, Value, fits, kind_of

_OVER_LISTS = {"contains_all", "contains_none", "subset_of", "same_set"}
_LIST_OF: Mapping[Kind, Kind] = {"int": "list[int]", "str": "list[str]"}
_ITEM_OF: Mapping[Kind, Kind] = {"list[int]": "int", "list[str]": "str"}
_PLAIN: Mapping[Kind, str] = {
    "bool": "true or false",
    "int": "a whole number",
    "str": "text",
    "list[str]": "a list of text",
    "list[int]": "a list of whole numbers",
}


class Flaw(NamedTuple):
    """What does not fit, and what to do about it."""

    message: str
    hint: str


def parameter_flaws(
    given: Mapping[str, ParameterValue],
    declared: Mapping[str, Parameter],
    refs: Mapping[str, Typed],
    *,
    complete: bool = True,
) -> Iterator[tuple[str, Flaw]]:
    """What is wrong with parameters, by name.

    Args:
        given: As written; literals and references.
        declared: What may be given.
        refs: The references that may be made here.
        complete: Whether every required parameter must be given (an override gives only some).
    """
    for name, value in given.items():
        parameter = declared.get(name)
        if parameter is None:
            yield name, Flaw(f"there is no parameter {name}", did_you_mean(name, declared))
        elif isinstance(value, Ref):
            yield from ((name, flaw) for flaw in _reference_flaws(value, parameter, refs))
        elif problem := parameter.problem(value):
            yield name, Flaw(problem, parameter.doc)
    for name, parameter in declared.items() if complete else ():
        if parameter.required and name not in given:
            yield name, Flaw("is missing", parameter.doc)


def _reference_flaws(ref: Ref, parameter: Parameter, refs: Mapping[str, Typed]) -> Iterator[Flaw]:
    typed = refs.get(ref.ref)
    if typed is None:
        yield unknown_reference(ref, refs)
    elif typed.kind != parameter.type:
        yield Flaw(
            f"{ref.ref} is {_PLAIN[typed.kind]}; {_PLAIN[parameter.type]} is wanted", parameter.doc
        )
    elif typed.optional and parameter.required:
        yield Flaw(f"{ref.ref} need not be declared, but a value is required", parameter.doc)


def unknown_reference(ref: Ref, refs: Mapping[str, Typed]) -> Flaw:
    """A reference that cannot be made here."""
    hint = did_you_mean(ref.ref, refs) if refs else "A runbook has no host to refer to."
    return Flaw(f"there is no reference {ref.ref} here", hint)


def expectation_flaws(
    raw: RawExpectation, observed: Typed, refs: Mapping[str, Typed]
) -> Iterator[Flaw]:
    """What is wrong with an expectation of a field.

    An expectation that can never fail, or never be met, is a flaw too: it would judge without
    looking.

    Args:
        raw: As written.
        observed: Type of the field.
        refs: The references that may be made here.
    """
    match raw.op:
        case "all" | "any" | "not":
            for inner in raw.inner:
                yield from expectation_flaws(inner, observed, refs)
        case "each":
            yield from _each(raw, observed, refs)
        case "absent":
            if not observed.optional:
                yield Flaw("the field is never absent", "Expect a value instead.")
        case _:
            yield from _comparison(raw, observed.kind, refs)


def _each(raw: RawExpectation, observed: Typed, refs: Mapping[str, Typed]) -> Iterator[Flaw]:
    item = _ITEM_OF.get(observed.kind)
    if item is None:
        yield Flaw(f"each is for lists; the field is {_PLAIN[observed.kind]}", "Leave each out.")
    else:
        yield from expectation_flaws(raw.inner[0], Typed(item), refs)


def _comparison(raw: RawExpectation, observed: Kind, refs: Mapping[str, Typed]) -> Iterator[Flaw]:
    wanted = _operand_kind(raw.op, observed)
    if wanted is None:
        yield Flaw(
            f"{raw.op} cannot be asked of {_PLAIN[observed]}",
            "Use equals, or see the comparisons in policies/README.md.",
        )
    elif isinstance(raw.operand, Ref):
        typed = refs.get(raw.operand.ref)
        if typed is None:
            yield unknown_reference(raw.operand, refs)
        elif typed.kind != wanted or typed.optional:
            yield Flaw(f"{raw.operand.ref} is {_PLAIN[typed.kind]}", f"Wanted: {_PLAIN[wanted]}.")
    else:
        yield from _literal(raw.op, raw.operand, wanted)


def _operand_kind(op: str, observed: Kind) -> Kind | None:
    """Kind of operand that a comparison takes, ``None`` when the field cannot be so compared."""
    if op == "equals":
        return observed
    if op in {"at_least", "at_most"}:
        return "int" if observed == "int" else None
    if op == "matches":
        return "str" if observed == "str" else None
    if op == "one_of":
        return _LIST_OF.get(observed)
    return observed if op in _OVER_LISTS and observed in _ITEM_OF else None


def _literal(op: str, operand: Value, wanted: Kind) -> Iterator[Flaw]:
    if operand is None:
        yield Flaw("nothing can be compared with null", "Write absent: true.")
    elif not fits(operand, wanted):
        kind = kind_of(operand)
        seen = _PLAIN[kind] if kind else "a mixed list"
        yield Flaw(f"{op} takes {_PLAIN[wanted]}, not {seen}", "Correct the operand.")
    elif operand == () and op in {"contains_all", "contains_none", "one_of"}:
        outcome = "never" if op == "one_of" else "always"
        yield Flaw(f"{op} of nothing {outcome} holds", "Name at least one value.")
    elif op == "matches" and (problem := pattern_problem(str(operand))):
        yield Flaw(f"the pattern {problem}", "It must match the whole value.")
