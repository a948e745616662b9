"""Healing rules for tests, and what they mean: every rule asked in turn, without any index."""

from collections.abc import Iterable
from typing import Any

from hypothesis import strategies as st

from reconciler.diff.compare import meets
from reconciler.model.desired import BoundRule
from reconciler.model.finding import Finding
from reconciler.model.healing_rule import HealingRule
from reconciler.model.host import Host
from reconciler.model.rule import bound
from tests.support.desired_states import frozen

CHECK = "LNX-TIME-001"


def make_healing(rule_id: str = "restart", **changes: Any) -> HealingRule:
    """A healing rule; ``where`` and other conditions beside the check may be given by name."""
    conditions = ("check", "rules", "roles", "tags", "severity", "where")
    match = {"check": CHECK} | {name: changes.pop(name) for name in conditions if name in changes}
    document = {"id": rule_id, "title": rule_id, "match": match, "runbook": "RB-TIME-001"}
    return HealingRule.model_validate(frozen(document | changes))


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


VALUES: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(0, 3),
    st.sampled_from(["a", "b", "1", "true"]),
    st.lists(st.sampled_from("ab"), max_size=2).map(tuple),
    st.lists(st.integers(0, 2), max_size=2).map(tuple),
)
"""What may be observed, alike enough that many things nearly match."""

_SCALARS = st.one_of(st.booleans(), st.integers(0, 3), st.sampled_from(["a", "b", "1", "true"]))
_SIMPLE: st.SearchStrategy[Any] = st.one_of(
    _SCALARS,
    st.builds(lambda v: {"equals": v}, VALUES.filter(lambda v: v is not None)),
    st.builds(lambda v: {"one_of": v}, st.lists(_SCALARS, min_size=1, max_size=3)),
    st.builds(lambda v: {"at_least": v}, st.integers(0, 3)),
    st.builds(lambda v: {"at_most": v}, st.integers(0, 3)),
    st.builds(lambda v: {"absent": v}, st.booleans()),
    st.builds(lambda v: {"matches": v}, st.sampled_from(["a|b", "[a-z]+", "tru."])),
    st.builds(lambda v: {"contains_all": v}, st.lists(st.sampled_from("ab"), max_size=2)),
    st.builds(lambda v: {"subset_of": v}, st.lists(st.integers(0, 2), max_size=2)),
)
PREDICATES: st.SearchStrategy[Any] = st.recursive(
    _SIMPLE,
    lambda inner: st.one_of(
        st.builds(lambda v: {"not": v}, inner),
        st.builds(lambda v: {"all": v}, st.lists(inner, min_size=1, max_size=2)),
        st.builds(lambda v: {"any": v}, st.lists(inner, min_size=1, max_size=2)),
        st.builds(lambda v: {"each": v}, inner),
    ),
    max_leaves=4,
)
"""One condition as a person would write it."""

FACTS = ("observed.x", "observed.y", "param.p")
RULES = st.builds(
    lambda check, rules, severity, roles, tags, where, priority, enabled: {
        "check": check,
        "rules": rules,
        "severity": severity,
        "roles": roles,
        "tags": tags,
        "where": where,
        "priority": priority,
        "enabled": enabled,
    },
    st.sampled_from([CHECK, CHECK, "LNX-SSH-001"]),
    st.lists(st.sampled_from(["time", "clock"]), max_size=2, unique=True),
    st.lists(st.sampled_from(["low", "medium", "high"]), max_size=2, unique=True),
    st.lists(st.sampled_from(["server", "desk"]), max_size=2, unique=True),
    st.lists(st.sampled_from(["old", "new"]), max_size=1),
    st.dictionaries(st.sampled_from(FACTS), PREDICATES, max_size=3),
    st.sampled_from([1, 1, 2, 3]),
    st.sampled_from([True, True, True, False]),
)
RULE_SETS = st.lists(RULES, max_size=12).map(
    lambda found: [make_healing(f"r{number}", **each) for number, each in enumerate(found)]
)
"""Healing rules of which many match the same findings."""
