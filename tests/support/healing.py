"""Healing rules for tests, and what they mean: every rule asked in turn, without any index."""

from collections.abc import Callable, Iterable, Sequence
from random import Random
from typing import Any

from pydantic import TypeAdapter

from reconciler.diff.compare import meets
from reconciler.model.desired import BoundRule
from reconciler.model.finding import Finding
from reconciler.model.healing_rule import HealingRule, Match
from reconciler.model.host import Host
from reconciler.model.rule import ExpectationField, bound
from tests.support.desired_states import frozen

CHECK = "LNX-TIME-001"


def make_healing(rule_id: str = "restart", **changes: Any) -> HealingRule:
    """A healing rule; ``where`` and other conditions beside the check may be given by name."""
    conditions = ("check", "rules", "roles", "tags", "severity", "where")
    match = {"check": CHECK} | {name: changes.pop(name) for name in conditions if name in changes}
    document = {"id": rule_id, "title": rule_id, "match": match, "runbook": "RB-TIME-001"}
    return HealingRule.model_validate(frozen(document | changes))


_EXPECTATION: TypeAdapter[Any] = TypeAdapter(ExpectationField)


def many_healing(count: int, conditions: Callable[[int], dict[str, Any]]) -> list[HealingRule]:
    """Ten thousand rules in little time: each of its own priority, only conditions are read."""
    plain = make_healing()
    made = []
    for number in range(count):
        given = conditions(number)
        where = {
            k: _EXPECTATION.validate_python(frozen(v)) for k, v in given.pop("where", {}).items()
        }
        match = Match.model_construct(**{**dict(plain.match), **frozen(given), "where": where})
        update = {"id": f"r{number}", "match": match, "priority": 1 + number % 9_999}
        made.append(plain.model_copy(update=update))
    return made


def matches(healing: HealingRule, rule: BoundRule, finding: Finding, host: Host) -> bool:
    """Whether one rule matches one finding, condition by condition."""
    match = healing.match
    return (
        healing.enabled
        and match.check == rule.check
        and (not match.rules or rule.rule in match.rules)
        and (not match.severity or finding.severity in match.severity)
        and (not match.roles or any(role in host.roles for role in match.roles))
        and all(tag in host.tags for tag in match.tags)
        and all(_holds(name, raw, rule, finding) for name, raw in match.where.items())
    )


def _holds(name: str, raw: Any, rule: BoundRule, finding: Finding) -> bool:
    source, field = name.split(".")
    facts = finding.observed if source == "observed" else rule.params
    return field in facts and meets(bound(raw, {}), facts[field])


def linear(
    healing: Iterable[HealingRule], rule: BoundRule, finding: Finding, host: Host
) -> tuple[str, ...]:
    """Ids of the rules that decide, found by asking all of them."""
    matching = [each for each in healing if matches(each, rule, finding, host)]
    top = max((each.priority for each in matching), default=0)
    return tuple(sorted(each.id for each in matching if each.priority == top))


SCALARS: tuple[Any, ...] = (True, False, 0, 1, 2, 3, "a", "b", "1", "true")
VALUES: tuple[Any, ...] = (None, *SCALARS, (), ("a",), ("a", "b"), (0,), (1, 2))
"""What may be observed, alike enough that many things nearly match."""

_SIMPLE: tuple[Callable[[Random], Any], ...] = (
    lambda chance: chance.choice(SCALARS),
    lambda chance: {"equals": chance.choice(VALUES[1:])},
    lambda chance: {"one_of": chance.choices(SCALARS, k=chance.randint(1, 3))},
    lambda chance: {"at_least": chance.randint(0, 3)},
    lambda chance: {"at_most": chance.randint(0, 3)},
    lambda chance: {"absent": chance.random() < 0.5},
    lambda chance: {"matches": chance.choice(["a|b", "[a-z]+", "tru."])},
    lambda chance: {"contains_all": chance.choices("ab", k=chance.randint(0, 2))},
    lambda chance: {"subset_of": chance.choices((0, 1, 2), k=chance.randint(0, 2))},
)


def random_predicate(chance: Random, depth: int = 2) -> Any:
    """One condition as a person would write it."""
    op = chance.choice(["all", "any", "not", "each", "", "", "", ""]) if depth else ""
    if op in {"all", "any"}:
        return {op: [random_predicate(chance, depth - 1) for _ in range(chance.randint(1, 2))]}
    return {op: random_predicate(chance, depth - 1)} if op else chance.choice(_SIMPLE)(chance)


def _some(chance: Random, among: Sequence[str], most: int) -> list[str]:
    return chance.sample(among, k=min(most, max(0, chance.randint(-1, most))))


def random_rules(chance: Random, most: int = 12) -> list[HealingRule]:
    """Healing rules of which many match the same findings."""
    return [
        make_healing(
            f"r{number}",
            check=chance.choice([CHECK, CHECK, CHECK, "LNX-SSH-001"]),
            rules=_some(chance, ["time", "clock"], 2),
            severity=_some(chance, ["low", "medium", "high"], 2),
            roles=_some(chance, ["server", "desk"], 2),
            tags=_some(chance, ["old", "new"], 1),
            where={
                name: random_predicate(chance)
                for name in _some(chance, ["observed.x", "observed.y", "param.p"], 3)
            },
            priority=chance.choice([1, 1, 2, 3]),
            enabled=chance.random() < 0.9,
        )
        for number in range(chance.randint(0, most))
    ]


def random_values(chance: Random, *names: str) -> dict[str, Any]:
    """Values for some of the names."""
    return {name: chance.choice(VALUES) for name in names if chance.random() < 0.8}
