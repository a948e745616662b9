"""What a healing rule may ask: the facts of one finding, and which values meet what is asked.

Rule 1: A fact that was not observed meets nothing, not even that it is absent: "looked, and there
        is none" was observed, "did not look" was not.
Rule 2: Facts are compared by the comparator that judges rules.
"""

from collections.abc import Iterable, Iterator
from enum import Enum
from typing import Final, Literal, NamedTuple

from reconciler.diff.compare import meets
from reconciler.model.desired import BoundRule
from reconciler.model.expectation import Expectation
from reconciler.model.finding import Finding
from reconciler.model.healing_rule import HealingRule, Match
from reconciler.model.host import Host
from reconciler.model.rule import bound
from reconciler.model.values import Value


class Unseen(Enum):
    """That nobody looked."""

    UNSEEN = "unseen"


UNSEEN: Final = Unseen.UNSEEN

Source = Literal["observed", "param", "rule", "severity"]
Key = object
"""A value that is only equal to what the comparator calls equal: to Python, 1 and true are, too."""


class Fact(NamedTuple):
    """The name of one fact.

    Attributes:
        source: The finding's observed values, the check's parameters, the rule's id or severity.
        field: Which of them; empty for the last two.
    """

    source: Source
    field: str = ""


class Asked(NamedTuple):
    """One condition of a healing rule."""

    fact: Fact
    wanted: Expectation


def fact_named(name: str) -> Fact:
    """The fact that ``observed.x`` or ``param.x`` stands for."""
    source, _, field = name.partition(".")
    return Fact("observed" if source == "observed" else "param", field)


def asked_by(rule: HealingRule) -> tuple[Asked, ...]:
    """Every condition of a rule that depends on the finding, beside its check."""
    return tuple(_asked(rule.match))


def _asked(match: Match) -> Iterator[Asked]:
    if match.rules:
        yield Asked(Fact("rule"), Expectation("one_of", match.rules))
    if match.severity:
        yield Asked(Fact("severity"), Expectation("one_of", match.severity))
    for name, raw in match.where.items():
        yield Asked(fact_named(name), bound(raw, {}))


def fits_host(match: Match, host: Host) -> bool:
    """Whether a host has the roles and tags that are asked for."""
    return (not match.roles or not set(match.roles).isdisjoint(host.roles)) and set(
        match.tags
    ) <= set(host.tags)


def may_answer(healing: HealingRule, rule: BoundRule) -> bool:
    """Whether a healing rule can match some finding of a bound rule."""
    return healing.match.check == rule.check and all(
        _possible(asked, rule) for asked in asked_by(healing) if asked.fact.source != "observed"
    )


def _possible(asked: Asked, rule: BoundRule) -> bool:
    value = seen(asked.fact, rule, None)
    return value is not UNSEEN and meets(asked.wanted, value)


def seen(fact: Fact, rule: BoundRule, finding: Finding | None) -> Value | Unseen:
    """The value of a fact; before there is a finding, nothing was observed."""
    match fact.source:
        case "observed":
            return UNSEEN if finding is None else finding.observed.get(fact.field, UNSEEN)
        case "param":
            return rule.params.get(fact.field, UNSEEN)
        case "rule":
            return rule.rule
        case _:
            return rule.severity if finding is None else finding.severity


def key_of(value: Value) -> Key:
    """A value as the comparator tells it from others."""
    if isinstance(value, str):
        return value
    if isinstance(value, tuple):
        return tuple(map(key_of, value))
    return (type(value), value)


def finite(wanted: Expectation) -> tuple[Value, ...] | None:
    """Every value that meets an expectation, each once; ``None`` when they cannot be listed."""
    listed = _among(wanted)
    if listed is None:
        return None
    return tuple({key_of(value): value for value in listed if meets(wanted, value)}.values())


def _among(wanted: Expectation) -> tuple[Value, ...] | None:
    """Values outside of which nothing can meet an expectation."""
    match wanted.op:
        case "equals":
            return (wanted.value,)
        case "one_of":
            return wanted.value if isinstance(wanted.value, tuple) else ()
        case "absent":
            return (None,) if wanted.value is True else None
        case "all":
            listed = [among for inner in wanted.inner if (among := _among(inner)) is not None]
            return min(listed, key=len, default=None)
        case "any":
            return _all_of(_among(inner) for inner in wanted.inner)
        case _:
            return None


def _all_of(lists: Iterable[tuple[Value, ...] | None]) -> tuple[Value, ...] | None:
    joined: list[Value] = []
    for listed in lists:
        if listed is None:
            return None
        joined.extend(listed)
    return tuple(joined)
