"""The index decides what asking every rule decides, and asks as little among many as among few."""

from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.diff.compare import meets
from reconciler.plan import index
from reconciler.plan.choice import chosen
from reconciler.plan.index import HealingIndex
from reconciler.plan.planner import plan
from tests.support.desired_states import make_desired, make_finding, make_host, make_rule
from tests.support.healing import linear, make_healing, random_rules, random_values

SEEDS = st.integers(0, 2**32).map(Random)


@settings(max_examples=400, deadline=None)
@given(SEEDS)
def test_the_index_decides_what_asking_every_rule_decides(chance: Random) -> None:
    healing = random_rules(chance)
    host = make_host(
        roles=chance.choice([[], ["server"], ["desk"]]), tags=chance.choice([[], ["old"]])
    )
    for _ in range(4):
        severity = chance.choice(["low", "medium"])
        rule = make_rule(params=random_values(chance, "p"), severity=severity)
        finding = make_finding(observed=random_values(chance, "x", "y"), severity=severity)
        desired = make_desired([rule], host=host, healing=tuple(healing))
        found = tuple(each.id for each in chosen(rule, finding, desired))
        assert found == linear(healing, rule, finding, host)


@settings(max_examples=100, deadline=None)
@given(SEEDS)
def test_the_order_of_rules_and_findings_changes_nothing(chance: Random) -> None:
    healing = random_rules(chance)
    rules = [make_rule(name) for name in ("time", "clock", "other")]
    findings = [make_finding(r.id, observed=random_values(chance, "x", "y")) for r in rules]
    expected = plan(findings, make_desired(rules, healing=tuple(healing)))
    chance.shuffle(healing)
    chance.shuffle(findings)
    chance.shuffle(rules)
    assert plan(findings, make_desired(rules, healing=tuple(healing))) == expected


KINDS: dict[str, Callable[[int], dict[str, Any]]] = {
    "checks": lambda n: {"check": f"LNX-T{n}-001"},
    "an equal value": lambda n: {"where": {"observed.x": n}},
    "one of some values": lambda n: {"where": {"observed.x": {"one_of": [f"{n}", f"{n}-b"]}}},
    "a value and a severity": lambda n: {
        "severity": [("low", "medium", "high", "critical")[n % 4]],
        "where": {"observed.x": n // 4},
    },
    "two values": lambda n: {"where": {"observed.x": n % 100, "observed.y": n // 100}},
    "a parameter": lambda n: {"where": {"param.p": f"unit-{n}.service"}},
    "a value beside a range": lambda n: {
        "where": {"observed.x": n, "observed.y": {"at_least": n % 7}}
    },
    "rules": lambda n: {"rules": [f"rule-{n}"]},
}


def asked(kind: str, rules: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """Most conditions that one decision asks for, among so many rules that differ in one way."""
    made = HealingIndex(
        make_healing(f"r{n}", priority=1 + n % 9_999, **KINDS[kind](n)) for n in range(rules)
    )
    count = 0

    def counting(wanted: Any, value: Any) -> bool:
        nonlocal count
        count += 1
        return meets(wanted, value)

    monkeypatch.setattr(index, "meets", counting)
    most = 0
    for number in (0, 1, rules // 2, rules - 1, rules + 1):
        for observed in ({"x": number, "y": number}, {"x": f"{number}"}, {"x": number // 100}, {}):
            count = 0
            rule = make_rule(params={"p": f"unit-{number}.service"})
            made.best(rule, make_finding(observed=observed))
            most = max(most, count)
    return most


@pytest.mark.parametrize("kind", KINDS)
def test_a_decision_asks_no_more_among_ten_thousand_rules_than_among_ten(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = asked(kind, 10, monkeypatch)
    assert asked(kind, 10_000, monkeypatch) <= few <= 1


def test_a_decision_looks_up_once_for_each_group_and_not_for_each_rule() -> None:
    rules = [make_healing(f"r{n}", **KINDS["two values"](n)) for n in range(1_000)]
    [of_check] = HealingIndex(rules)._checks.values()
    assert len(of_check.groups) == 1
    assert sum(map(len, of_check.groups[0].table.values())) == 1_000
