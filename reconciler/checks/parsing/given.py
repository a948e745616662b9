"""Bound parameters of a check by type. They were validated before; this tells the type checker."""

from reconciler.errors import Unobservable
from reconciler.model.values import Params


def text(params: Params, name: str) -> str:
    """A text parameter.

    Raises:
        Unobservable: It is not text.
    """
    value = params.get(name)
    if not isinstance(value, str):
        raise Unobservable(f"parameter {name} is not text")
    return value


def whole(params: Params, name: str) -> int:
    """A parameter that is a whole number.

    Raises:
        Unobservable: It is not.
    """
    value = params.get(name)
    if type(value) is not int:
        raise Unobservable(f"parameter {name} is not a whole number")
    return value


def optional_text(params: Params, name: str) -> str | None:
    """A text parameter that need not be given.

    Raises:
        Unobservable: It is given and is not text.
    """
    return None if params.get(name) is None else text(params, name)


def texts(params: Params, name: str) -> tuple[str, ...]:
    """A list parameter of texts.

    Raises:
        Unobservable: It is something else.
    """
    value = params.get(name)
    if not isinstance(value, tuple):
        raise Unobservable(f"parameter {name} is not a list")
    return tuple(str(item) for item in value)
