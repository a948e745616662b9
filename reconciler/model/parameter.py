"""A typed parameter: of a check, of a kind of step, or of a runbook."""

import re
from dataclasses import dataclass
from typing import ClassVar

from reconciler.model.values import Kind, Params, Scalar, Value, fits


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """What a parameter may be. Everything that is not allowed is refused.

    Attributes:
        type: Kind of the value.
        doc: One sentence, with the unit.
        required: Whether a caller must give it.
        default: Value when it is not given and not required.
        enum: The only values allowed (for lists: of each item).
        minimum: Lowest integer allowed (for lists: of each item).
        maximum: Highest integer allowed (for lists: of each item).
        pattern: Regular expression that the whole string must match (for lists: each item).
        max_items: Longest list allowed.
    """

    # pydantic reads this when a runbook document declares parameters.
    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    type: Kind
    doc: str
    required: bool = True
    default: Scalar | tuple[Scalar, ...] | None = None
    enum: tuple[Scalar, ...] | None = None
    minimum: int | None = None
    maximum: int | None = None
    pattern: str | None = None
    max_items: int = 256

    @property
    def bounded(self) -> bool:
        """Whether it says itself which values it takes, so that a machine may send one."""
        if self.enum is not None or self.type == "bool":
            return True
        if self.type in {"str", "list[str]"}:
            return self.pattern is not None
        return self.minimum is not None and self.maximum is not None

    def problem(self, value: Value) -> str | None:
        """Why a value is not allowed, or ``None`` when it is."""
        if value is None:
            return "is missing" if self.required else None
        if not fits(value, self.type):
            return f"must be {self.type}, not {value!r}"
        if isinstance(value, tuple):
            if len(value) > self.max_items:
                return f"has {len(value)} items; at most {self.max_items} are allowed"
            return next((p for item in value if (p := self._item_problem(item))), None)
        return self._item_problem(value)

    def _item_problem(self, item: Scalar) -> str | None:
        if self.enum is not None and item not in self.enum:
            return f"{item!r} is not one of {', '.join(map(repr, self.enum))}"
        if isinstance(item, int) and not isinstance(item, bool):
            if self.minimum is not None and item < self.minimum:
                return f"{item} is below {self.minimum}"
            if self.maximum is not None and item > self.maximum:
                return f"{item} is above {self.maximum}"
        if isinstance(item, str):
            if len(item) > 4096 or "\x00" in item:
                return "is longer than 4096 characters or holds a NUL"
            if self.pattern is not None and re.fullmatch(self.pattern, item) is None:
                return f"{item!r} does not match {self.pattern}"
        return None


def bind(declared: dict[str, Parameter], given: Params) -> tuple[dict[str, Value], list[str]]:
    """Fill in defaults and check every value.

    Returns:
        The complete parameters, and the problems found (empty when all is well), each naming
        the parameter it is about.
    """
    problems = [f"{name}: no such parameter" for name in given if name not in declared]
    bound: dict[str, Value] = {}
    for name, parameter in declared.items():
        value = given.get(name)
        if value is None and not parameter.required:
            value = parameter.default
        problem = parameter.problem(value)
        if problem:
            problems.append(f"{name}: {problem}")
        bound[name] = value
    return bound, problems
