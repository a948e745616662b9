"""What is sent to a model, whatever it is about."""

from collections.abc import Mapping
from typing import Any, Protocol


class Prompt(Protocol):
    """One question as it leaves."""

    @property
    def system(self) -> str:
        """What the model is told."""
        ...

    @property
    def user(self) -> str:
        """The data."""
        ...

    @property
    def schema(self) -> Mapping[str, Any]:
        """JSON Schema of an answer."""
        ...
