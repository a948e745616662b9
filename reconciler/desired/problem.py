"""What is wrong with a fleet repository: one thing, at one place, with what to do about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from reconciler.errors import InputError, Where


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        severity: An ``error`` keeps the fleet from being used; a ``warning`` does not.
    """

    where: Where
    message: str
    hint: str
    severity: Literal["error", "warning"]

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"


class FleetInvalid(InputError):
    """A fleet that may not be used.

    Attributes:
        problems: Every error that was found.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        first = problems[0]
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        super().__init__(first.message + more, hint=first.hint, where=first.where)
        self.problems = tuple(problems)


def error(where: Where, message: str, hint: str) -> Problem:
    """A problem that keeps the fleet from being used."""
    return Problem(where, message, hint, "error")


def warning(where: Where, message: str, hint: str) -> Problem:
    """A problem that a person should know about."""
    return Problem(where, message, hint, "warning")


def of(problem: InputError) -> Problem:
    """The problem that an `InputError` tells of."""
    return error(problem.where or Where("?"), problem.message, problem.hint)
