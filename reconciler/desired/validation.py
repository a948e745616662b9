"""Plain data to documents of the model; every error with its place, field and nearest name."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError

from reconciler.desired.page import Page, Path, Plain
from reconciler.desired.problem import FleetInvalid, Problem, error
from reconciler.desired.suggest import did_you_mean, field_names

M = TypeVar("M", bound=BaseModel)

_TYPES = {
    "bool_type": "true or false",
    "int_type": "a whole number",
    "string_type": "text",
    "date_type": "a date such as 2026-01-31",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "mapping_type": "a mapping",
    "model_type": "a mapping",
    "dataclass_type": "a mapping",
}
_UNKNOWN = ("extra_forbidden", "unexpected_keyword_argument")


class _Fault(NamedTuple):
    """One pydantic error, at a place that exists in the document.

    Attributes:
        path: Place of the value it is about.
        shared: Place of the union whose members complain, or ``path`` outside of unions.
    """

    path: Path
    shared: Path
    type: str
    context: Mapping[str, Any]
    message: str


def validate(page: Page, model: type[M]) -> M:
    """One document of the model.

    Raises:
        FleetInvalid: The page does not fit; carries every problem.
    """
    document, problems = read(page, model)
    if document is None:
        raise FleetInvalid(problems)
    return document


def read(page: Page, model: type[M]) -> tuple[M | None, list[Problem]]:
    """One document, or every problem that keeps the page from being one."""
    try:
        return model.model_validate(page.value), []
    except ValidationError as invalid:
        faults = [_fault(page, raw) for raw in invalid.errors(include_url=False)]
    found = [problem for fault in _distinct(faults) for problem in _problem(page, model, fault)]
    return None, sorted(found, key=lambda problem: problem.where.line or 0)


def _fault(page: Page, raw: Mapping[str, Any]) -> _Fault:
    path: Path = ()
    shared: Path | None = None
    value: Plain = page.value
    parts: Sequence[str | int] = raw["loc"]
    for index, part in enumerate(parts):
        if _holds(value, part):
            path, value = (*path, part), value[part]
        elif raw["type"] == "missing" and index == len(parts) - 1:
            path = (*path, part)
        elif shared is None:
            shared = path
    context = raw.get("ctx", {})
    return _Fault(path, path if shared is None else shared, raw["type"], context, raw["msg"])


def _holds(value: Plain, part: str | int) -> bool:
    if isinstance(part, int):
        return isinstance(value, tuple) and part < len(value)
    return isinstance(value, Mapping) and part in value


def _distinct(faults: Sequence[_Fault]) -> Iterator[_Fault]:
    """One fault for a union, where each member complains: the one that says most."""
    groups: dict[Path, list[_Fault]] = defaultdict(list)
    for fault in faults:
        groups[fault.shared].append(fault)
    for group in groups.values():
        telling = [fault for fault in group if fault.type not in _TYPES]
        if telling or len(group) == 1:
            yield from {(f.path, f.type): f for f in telling or group}.values()
            continue
        deepest = max(len(fault.path) for fault in group)
        wanted = [fault for fault in group if len(fault.path) == deepest]
        choices = " or ".join(dict.fromkeys(_TYPES[fault.type] for fault in wanted))
        yield wanted[0]._replace(type="choice", context={"choices": choices})


def _problem(page: Page, model: type[BaseModel], fault: _Fault) -> Iterator[Problem]:
    where = page.where(fault.path)
    if fault.type in _UNKNOWN:
        name = str(fault.path[-1])
        known = field_names(model, fault.path[:-1])
        yield error(where, "is not a known field", did_you_mean(name, known))
        return
    value = _value(page.value, fault.path)
    yield error(where, _message(fault, value), _hint(fault, value))


def _value(value: Plain, path: Path) -> Plain:
    for part in path:
        if not _holds(value, part):
            return None
        value = value[part]
    return value


_MESSAGES: Mapping[str, Callable[[Mapping[str, Any], Plain], str]] = {
    "missing": lambda _context, _value: "is missing",
    "choice": lambda context, value: f"must be {context['choices']}, not {show(value)}",
    "literal_error": lambda context, value: f"must be {context['expected']}, not {show(value)}",
    "string_pattern_mismatch": lambda context, value: (
        f"{show(value)} does not match {context['pattern']}"
    ),
    "too_short": lambda context, _value: f"must have at least {context['min_length']} item(s)",
    "too_long": lambda context, _value: f"must have at most {context['max_length']} items",
    "string_too_short": lambda context, _value: (
        f"must have at least {context['min_length']} character(s)"
    ),
    "string_too_long": lambda context, _value: (
        f"must have at most {context['max_length']} characters"
    ),
    "greater_than_equal": lambda context, value: f"{show(value)} is below {context['ge']}",
    "less_than_equal": lambda context, value: f"{show(value)} is above {context['le']}",
    "value_error": lambda context, _value: str(context["error"]),
}


def _message(fault: _Fault, value: Plain) -> str:
    if fault.type in _TYPES:
        return f"must be {_TYPES[fault.type]}, not {show(value)}"
    say = _MESSAGES.get(fault.type)
    return say(fault.context, value) if say else fault.message


def _hint(fault: _Fault, value: Plain) -> str:
    if fault.type == "string_type" and isinstance(value, bool | int):
        return "Put it in quotes."
    if fault.type == "missing":
        return "Add the field."
    if fault.type == "literal_error":
        choices = [
            word.strip("' ") for word in fault.context["expected"].replace(" or ", ",").split(",")
        ]
        return did_you_mean(str(value), choices)
    return "Correct the field."


def show(value: Plain) -> str:
    """A value in a message: short, and never its whole content."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, tuple):
        return "a list"
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
