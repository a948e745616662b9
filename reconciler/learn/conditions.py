"""The conditions that held in every trial of a choice: what a learned rule asks for.

Rule 1: Only what was seen to fail, by field and value, and never the id of a rule, of a host or of
        a client: what was learned is about the fault.
Rule 2: A rule asks for no less than what every trial had in common. A number lies between the
        least and the most that was seen; texts are one of at most `MOST_TEXTS` that were seen.
Rule 3: No condition in common is no rule (lesson 27): the check alone is not enough.
"""

from collections.abc import Mapping, Sequence

from reconciler.learn.trial import Sight
from reconciler.model.finding import Severity
from reconciler.model.values import Value, exact

MOST_TEXTS = 4
_ORDER: Mapping[Severity, int] = {"critical": 0, "high": 1, "medium": 2, "low": 3}

Condition = Mapping[str, object]
"""An expectation as a document writes it: one operator and its operand."""


def severities(sights: Sequence[Sight]) -> tuple[Severity, ...]:
    """Every severity that was seen, the worst first."""
    return tuple(sorted({sight.severity for sight in sights}, key=_ORDER.__getitem__))


def common(sights: Sequence[Sight]) -> dict[str, Condition]:
    """The conditions that hold in all of what was seen, by field."""
    if not sights:
        return {}
    shared = set.intersection(*(set(sight.failed) for sight in sights))
    found = {name: _condition([sight.failed[name] for sight in sights]) for name in sorted(shared)}
    return {name: condition for name, condition in found.items() if condition is not None}


def _condition(values: Sequence[Value]) -> Condition | None:
    first = values[0]
    if not all(exact(value) for value in values):
        return None
    # Types are exact: True and 1 are two values, although Python takes them for one.
    if all(type(value) is type(first) and value == first for value in values):
        return _same(first)
    if all(type(value) is int for value in values):
        numbers = [value for value in values if isinstance(value, int)]
        return {"all": [{"at_least": min(numbers)}, {"at_most": max(numbers)}]}
    texts = {value for value in values if isinstance(value, str)}
    if all(isinstance(value, str) for value in values) and len(texts) <= MOST_TEXTS:
        return {"one_of": sorted(texts)}
    return None


def _same(value: Value) -> Condition | None:
    if value is None:
        return {"absent": True}
    if isinstance(value, tuple):
        return {"same_set": list(value)} if value else None
    return {"equals": value}
