"""Values that should break a rule, suggested by a language model: to test checks and rules with.

Nothing of a client leaves: a question holds the texts of a check and of a rule of the fleet, with
references (``host.accounts``) in place of what hosts declare.

Rule 1: A suggestion is a typed value of a field that the rule expects something of, or dropped.
Rule 2: It counts only if the one judge of findings (`reconciler.diff.judge`) says ``fail`` because
        of that field; the model's word for it counts nothing. What is dropped is counted.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from reconciler.advise.answer import strict_json, unfenced
from reconciler.diff.judge import judge
from reconciler.model.check import Check
from reconciler.model.desired import BoundRule
from reconciler.model.observation import Observation
from reconciler.model.rule import RawExpectation, Ref, Rule
from reconciler.model.values import Value, exact, fits

MOST_ASKED = 20
_LONGEST = 200
_TASK = (
    "You write test data. The user message is one JSON object: fields that a check observes on a "
    "computer, each with its type, and what a rule expects of them. Answer with one JSON object "
    "and nothing else, with exactly one member: violations, a list of at most %d objects with "
    "exactly the members field, one of the names, and value, of that field's type, such as a badly "
    "kept computer would show and the rule must call a failure. Make them differ in kind."
)
Word = Annotated[str, StringConstraints(max_length=_LONGEST)]


class _Suggestion(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    field: Annotated[str, StringConstraints(max_length=64)]
    value: bool | int | Word | list[Word] | list[int]


class _Suggestions(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    violations: list[_Suggestion] = Field(max_length=MOST_ASKED)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A question for violations of one rule, as it is sent."""

    system: str
    user: str
    schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Suggested:
    """What became of one answer.

    Attributes:
        kept: Field and value of each suggestion that breaks the rule.
        dropped: Suggestions that do not, are not of the field's type, or repeat another.
        readable: Whether the answer was one at all.
    """

    kept: tuple[tuple[str, Value], ...]
    dropped: int
    readable: bool


def wanted(rule: Rule, check: Check, most: int) -> Wanted:
    """The question for at most so many violations of a rule."""
    data = {
        "check": check.id,
        "about": check.title,
        "fields": [
            {"name": name, "type": one.kind, "doc": one.doc, "expected": _shown(rule.expect[name])}
            for name, one in sorted(check.fields.items())
            if name in rule.expect
        ],
    }
    user = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return Wanted(_TASK % most, user, _schema(sorted(rule.expect)))


def sifted(text: str | None, rule: BoundRule, check: Check) -> Suggested:
    """What of an answer really breaks the rule, as it is bound on a host.

    Args:
        text: The model's words; None if there are none.
        rule: The rule on one host.
        check: Its check.
    """
    try:
        said = _Suggestions.model_validate(strict_json(unfenced(text or "").encode())).violations
    except (ValueError, RecursionError):
        return Suggested((), 0, readable=False)
    kept: dict[str, tuple[str, Value]] = {}
    for one in said:
        value: Value = tuple(one.value) if isinstance(one.value, list) else one.value
        if _breaks(rule, check, one.field, value):
            kept.setdefault(f"{one.field} {value!r}", (one.field, value))
    return Suggested(tuple(kept.values()), len(said) - len(kept), readable=True)


def _breaks(rule: BoundRule, check: Check, field: str, value: Value) -> bool:
    declared = check.fields.get(field)
    if declared is None or field not in rule.expect:
        return False
    if not fits(value, declared.kind) or not exact(value):
        return False
    seen = Observation(rule.check, "seen", {field: value})
    found = judge(
        rule, seen, target="none/none", exceptions=(), controls={}, today=date(2000, 1, 1)
    )
    return found.status == "fail" and field in found.failed


def _shown(expected: RawExpectation) -> Any:
    if expected.inner:
        return {expected.op: [_shown(inner) for inner in expected.inner]}
    operand = expected.operand
    if isinstance(operand, Ref):
        return {expected.op: {"ref": operand.ref}}
    return {expected.op: list(operand) if isinstance(operand, tuple) else operand}


def _schema(fields: Sequence[str]) -> dict[str, Any]:
    scalar = [{"type": "boolean"}, {"type": "integer"}, {"type": "string"}]
    texts = {"type": "array", "items": {"type": "string"}}
    numbers = {"type": "array", "items": {"type": "integer"}}
    one = {
        "type": "object",
        "properties": {
            "field": {"type": "string", "enum": list(fields)},
            "value": {"anyOf": [*scalar, texts, numbers]},
        },
        "required": ["field", "value"],
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "properties": {"violations": {"type": "array", "items": one}},
        "required": ["violations"],
        "additionalProperties": False,
    }
