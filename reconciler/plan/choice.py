"""Which healing rule answers a finding, and with which parameters.

Rule 1: The highest priority decides. Two that are equal decide nothing: that is a fault of the
        fleet, and it goes to people.
Rule 2: A value that a machine sent becomes a parameter only if the runbook's own pattern, list
        or bounds take it, and is never quoted in a message.
Rule 3: Parameters stand in evidence as they are, so one that may identify a person is none.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from reconciler.diff.pattern import whole_match
from reconciler.model.desired import BoundRule, DesiredState
from reconciler.model.finding import Finding
from reconciler.model.healing_rule import FactRef, HealingRule, HealingValue
from reconciler.model.host import Host
from reconciler.model.parameter import Parameter
from reconciler.model.scrub import scrub_value
from reconciler.model.values import Value
from reconciler.plan.facts import (
    UNSEEN,
    Fact,
    asked_by,
    fact_named,
    fits_host,
    may_answer,
    seen,
)
from reconciler.plan.index import HealingIndex

_KEPT = 8
"""Compiled indexes that are kept: one is used, the others are of plans that are compared."""


@dataclass(frozen=True, slots=True, eq=False)
class _Given:
    """Healing rules by identity, so that asking for their index does not read ten thousand."""

    rules: tuple[HealingRule, ...]
    host: Host

    def __hash__(self) -> int:
        return hash((id(self.rules), self.host.roles, self.host.tags))

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, _Given)
            and self.rules is other.rules
            and self.host.roles == other.host.roles
            and self.host.tags == other.host.tags
        )


@lru_cache(maxsize=_KEPT)
def _index(given: _Given) -> HealingIndex:
    return HealingIndex(
        rule for rule in given.rules if rule.enabled and fits_host(rule.match, given.host)
    )


def answers(healing: HealingRule, host: Host, rules: Iterable[BoundRule]) -> bool:
    """Whether a healing rule can match some finding of a host, by what no run changes."""
    return (
        healing.enabled
        and fits_host(healing.match, host)
        and any(may_answer(healing, rule) for rule in rules)
    )


def observes(healing: HealingRule) -> bool:
    """Whether a parameter depends on what is observed, so that nobody knows it beforehand."""
    return any(fact.source == "observed" for fact in _facts_given(healing))


def chosen(rule: BoundRule, finding: Finding, desired: DesiredState) -> tuple[HealingRule, ...]:
    """The healing rules that answer a finding: one, none, or several in conflict."""
    if not desired.healing:
        return ()
    return _index(_Given(desired.healing, desired.host)).best(rule, finding)


def unseen(rule: BoundRule, finding: Finding, desired: DesiredState) -> tuple[str, ...]:
    """Fields that healing rules ask for and that a finding does not hold although it should.

    Where there are some, nobody can say from the finding alone what would be done about it.
    """
    asked = {
        fact.field
        for healing in desired.healing
        if may_answer(healing, rule)
        for fact in (*(a.fact for a in asked_by(healing)), *_facts_given(healing))
        if fact.source == "observed"
    }
    return tuple(sorted(asked & rule.expect.keys() - finding.observed.keys()))


def _facts_given(healing: HealingRule) -> Iterator[Fact]:
    for value in healing.params.values():
        if isinstance(value, FactRef):
            yield fact_named(value.ref)


def filled(
    given: Mapping[str, HealingValue],
    declared: Mapping[str, Parameter],
    rule: BoundRule,
    finding: Finding | None,
) -> tuple[dict[str, Value], list[str]]:
    """The parameters of a healing rule with facts put in.

    Args:
        given: As written.
        declared: By the runbook.
        rule: That failed.
        finding: Its finding; ``None`` when only what does not depend on one is given.

    Returns:
        The values, and what is wrong with facts; literals are for whoever binds to check.
    """
    values: dict[str, Value] = {}
    problems: list[str] = []
    for name, value in given.items():
        if not isinstance(value, FactRef):
            values[name] = value
            continue
        named = fact_named(value.ref)
        fact = seen(named, rule, finding)
        if fact is UNSEEN:
            problems.append(f"{name}: {value.ref} was not observed")
        elif named.source == "observed" and scrub_value(fact) != fact:
            problems.append(f"{name}: {value.ref} holds what may identify a person")
        elif name in declared and not _taken(declared[name], fact, named):
            problems.append(f"{name}: the runbook does not take what {value.ref} is")
        else:
            values[name] = fact
    return values, problems


def _taken(parameter: Parameter, value: Value, fact: Fact) -> bool:
    if value is None:
        return not parameter.required
    if fact.source == "observed" and not parameter.bounded:
        return False
    # First by the matcher that cannot be made to run away: a machine chose the value.
    if parameter.pattern is not None and not all(
        whole_match(parameter.pattern, text) for text in _texts(value)
    ):
        return False
    return parameter.problem(value) is None


def _texts(value: Value) -> Iterator[str]:
    for item in value if isinstance(value, tuple) else (value,):
        if isinstance(item, str):
            yield item
