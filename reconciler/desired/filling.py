"""Whether what a runbook writes fits, with ``{name}`` standing for its own parameters.

The rules are those of `reconciler.model.render`, judged by type before there are values.
"""

from collections.abc import Iterator, Mapping

from reconciler.desired.fitting import Flaw, expectation_flaws, parameter_flaws
from reconciler.desired.references import Typed
from reconciler.desired.suggest import did_you_mean
from reconciler.model.parameter import Parameter
from reconciler.model.render import names_in
from reconciler.model.rule import ParameterValue, RawExpectation, Ref
from reconciler.model.values import Kind

Own = Mapping[str, Parameter]
"""The runbook's parameters."""


def filled_flaws(
    given: Mapping[str, ParameterValue],
    declared: Mapping[str, Parameter],
    own: Own,
    *,
    leaves_out: bool,
) -> Iterator[tuple[str, Flaw]]:
    """What is wrong with the parameters of a step or condition, by name.

    Args:
        given: As written.
        declared: By the kind of step, or by the check.
        own: The runbook's parameters.
        leaves_out: Whether the whole is left out when an optional parameter was not given (a step
            is, a condition is not).
    """
    plain: dict[str, ParameterValue] = {}
    typed = _typed(own, leaves_out=leaves_out)
    for name, value in given.items():
        flaws = [*_unknown(value, own), *_inside(value, own)]
        yield from ((name, flaw) for flaw in flaws)
        filled = _reference(value)
        parameter = declared.get(name)
        if isinstance(filled, Ref) or not names_in(value) or parameter is None:
            plain[name] = filled
        elif not flaws and (kind := _kind(value, own)) != parameter.type:
            yield (
                name,
                Flaw(f"gives {kind or 'a mixed list'}; {parameter.type} is wanted", parameter.doc),
            )
        if flaws:
            plain.pop(name, None)
    left = {name: p for name, p in declared.items() if name in plain or name not in given}
    yield from parameter_flaws(plain, left, typed)


def filled_expectation_flaws(raw: RawExpectation, observed: Typed, own: Own) -> Iterator[Flaw]:
    """What is wrong with an expectation of a condition."""
    unknown = [flaw for operand in _operands(raw) for flaw in _unknown(operand, own)]
    yield from unknown
    if not unknown:
        typed = _typed(own, leaves_out=False)
        yield from expectation_flaws(_with_references(raw), observed, typed)


def _typed(own: Own, *, leaves_out: bool) -> dict[str, Typed]:
    """Whole placeholders as references, with the types of what they stand for."""
    return {
        f"{{{name}}}": Typed(p.type, optional=not leaves_out and _may_be_missing(p))
        for name, p in own.items()
    }


def _may_be_missing(parameter: Parameter) -> bool:
    return not parameter.required and parameter.default is None


def _reference(value: ParameterValue) -> ParameterValue:
    """A whole placeholder as a reference; anything else as it is."""
    if isinstance(value, str) and _is_whole(value):
        return Ref.model_construct(ref=value)
    return value


def _is_whole(text: str) -> bool:
    return text.startswith("{") and names_in(text) == {text[1:-1]}


def _unknown(value: ParameterValue, own: Own) -> Iterator[Flaw]:
    for name in sorted(names_in(value) - own.keys()):
        yield Flaw(f"the runbook has no parameter {name}", did_you_mean(name, own))


def _inside(value: ParameterValue, own: Own) -> Iterator[Flaw]:
    """Parameters that have no form as part of a longer text."""
    for text in value if isinstance(value, tuple) else (value,):
        if isinstance(text, str) and not _is_whole(text):
            for name in sorted(names_in(text) & own.keys()):
                if own[name].type == "bool" or _may_be_missing(own[name]):
                    message = f"{name} has no form as part of a text"
                    yield Flaw(message, "Use a text or a number that always has a value.")


def _kind(value: ParameterValue, own: Own) -> Kind | None:
    """Kind of a text or list in which placeholders stand, ``None`` for a mixed list."""
    if not isinstance(value, tuple):
        return "str"
    kinds = {_item_kind(item, own) for item in value}
    if kinds <= {"str", "list[str]"}:
        return "list[str]"
    return "list[int]" if kinds <= {"int", "list[int]"} else None


def _item_kind(item: object, own: Own) -> str:
    if isinstance(item, str) and _is_whole(item):
        return own[item[1:-1]].type
    return type(item).__name__


def _operands(raw: RawExpectation) -> Iterator[ParameterValue]:
    if raw.operand is not None:
        yield raw.operand
    for inner in raw.inner:
        yield from _operands(inner)


def _with_references(raw: RawExpectation) -> RawExpectation:
    operand = raw.operand if raw.operand is None else _reference(raw.operand)
    inner = tuple(map(_with_references, raw.inner))
    return raw.model_copy(update={"operand": operand, "inner": inner})
