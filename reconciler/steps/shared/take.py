"""Typed parameters out of a mapping of values; a wrong type is an error, never a guess."""

from reconciler.errors import InputError
from reconciler.model.values import Params, Value

_HINT = "Bind the step's parameters before rendering it."


def text(params: Params, name: str) -> str:
    """A text parameter.

    Raises:
        InputError: It is missing or is not a text.
    """
    value = params.get(name)
    if isinstance(value, str):
        return value
    raise _wrong(name, "a text", value)


def number(params: Params, name: str) -> int:
    """A whole number.

    Raises:
        InputError: It is missing or is not a whole number.
    """
    value = params.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise _wrong(name, "a whole number", value)


def texts(params: Params, name: str) -> tuple[str, ...]:
    """A list of texts; one that was not given is empty.

    Raises:
        InputError: It is not a list of texts.
    """
    value = params.get(name)
    if value is None:
        return ()
    if isinstance(value, tuple):
        found = tuple(item for item in value if isinstance(item, str))
        if len(found) == len(value):
            return found
    raise _wrong(name, "a list of texts", value)


def _wrong(name: str, wanted: str, value: Value) -> InputError:
    return InputError(f"{name} must be {wanted}, not {value!r:.60}", hint=_HINT)
