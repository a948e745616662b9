"""Typed parameters of a runbook into its steps and conditions.

``"{unit}"`` as a whole value takes the runbook's parameter with its type; as an item of a list it
takes the parameter's items; inside a longer text it is put in as text, lists joined by commas.
Nothing else is interpreted: braces around anything but a name stay what they are.

A value that is put into a longer text may not hold a line break or another control character, so
a parameter cannot add a line to a configuration file (a second ``PermitRootLogin``).
"""

import re
from collections.abc import Iterator, Mapping

from reconciler.errors import InputError
from reconciler.model.parameter import bind
from reconciler.model.rule import ParameterValue, RawExpectation, Ref
from reconciler.model.runbook import RunbookStep
from reconciler.model.step import StepKind
from reconciler.model.values import Params, Scalar, Value

_NAME = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def names_in(value: ParameterValue) -> frozenset[str]:
    """Names of the runbook parameters that a value takes."""
    texts = value if isinstance(value, tuple) else (value,)
    return frozenset(
        name for text in texts if isinstance(text, str) for name in _NAME.findall(text)
    )


def render(given: Mapping[str, ParameterValue], params: Params) -> dict[str, Value]:
    """Values with the runbook's parameters put in.

    Args:
        given: As written under ``with`` or ``params`` of a step or condition.
        params: The runbook's parameters, bound.

    Raises:
        InputError: A name that the runbook does not have, a reference to a host's declaration, or
            a value that may not stand inside a longer text.
    """
    return {name: _render(name, value, params) for name, value in given.items()}


def render_step(step: RunbookStep, kind: StepKind, params: Params) -> dict[str, Value] | None:
    """The bound parameters of one step; ``None`` when the step is to be left out.

    A step is left out when it takes a whole optional parameter that was not given: a certificate
    without a unit to reload has nothing to reload.

    Raises:
        InputError: As `render`; or the kind of step does not take what comes out.
    """
    rendered = render(step.params, params)
    if any(rendered[name] is None for name in step.params):
        return None
    bound, problems = bind(dict(kind.params), rendered)
    if problems:
        raise InputError(
            f"step {step.id} ({kind.id}): {'; '.join(problems)}",
            hint="Correct the step, or the parameters of the rule's remedy.",
        )
    return bound


def render_expectation(raw: RawExpectation, params: Params) -> RawExpectation:
    """An expectation of a runbook's condition with the runbook's parameters put in.

    Raises:
        InputError: As `render`.
    """
    inner = tuple(render_expectation(part, params) for part in raw.inner)
    operand = raw.operand if raw.operand is None else _render(raw.op, raw.operand, params)
    return raw.model_copy(update={"operand": operand, "inner": inner})


def _render(field: str, value: ParameterValue, params: Params) -> Value:
    if isinstance(value, Ref):
        raise InputError(
            f"{field}: a runbook cannot refer to {value.ref}",
            hint="Declare a parameter, and let the rule's remedy pass the reference.",
        )
    if isinstance(value, tuple):
        return tuple(item for part in value for item in _items(field, part, params))
    return _text(field, value, params) if isinstance(value, str) else value


def _items(field: str, part: Scalar, params: Params) -> Iterator[Scalar]:
    value = _text(field, part, params) if isinstance(part, str) else part
    if isinstance(value, tuple):
        yield from value
    elif value is not None:
        yield value


def _text(field: str, text: str, params: Params) -> Value:
    whole = _NAME.fullmatch(text)
    if whole:
        return _value(field, whole[1], params)
    return _NAME.sub(lambda found: _inside(field, found[1], params), text)


def _value(field: str, name: str, params: Params) -> Value:
    if name not in params:
        raise InputError(
            f"{field}: the runbook has no parameter {name}",
            hint=f"Declare {name} under parameters, or write another name.",
        )
    return params[name]


def _inside(field: str, name: str, params: Params) -> str:
    value = _value(field, name, params)
    parts = value if isinstance(value, tuple) else (value,)
    if any(part is None or isinstance(part, bool) for part in parts):
        raise InputError(
            f"{field}: parameter {name} has no form as part of a text",
            hint="Use a text or a number, and give it a value.",
        )
    text = ",".join(map(str, parts))
    if _CONTROL.search(text):
        raise InputError(
            f"{field}: parameter {name} holds a line break or another control character",
            hint="A parameter is one line; nothing was done.",
        )
    return text
