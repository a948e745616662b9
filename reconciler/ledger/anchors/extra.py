"""Where a module that needs an optional library is imported: missing is said, never skipped."""

from collections.abc import Iterator
from contextlib import contextmanager

from reconciler.errors import MachineError


@contextmanager
def needed() -> Iterator[None]:
    """Turn a library that is not installed into an error that says how to install it.

    Raises:
        MachineError: It is not installed; nothing was asked and nothing was checked.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        hint = "pip install 'reconciler[anchors]'"
        raise MachineError(f"{error.name} is not installed here", hint=hint) from error
