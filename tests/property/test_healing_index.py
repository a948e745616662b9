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
from reconciler.plan.ranges import FEW, Cut
from tests.support.desired_states import make_desired, make_finding, make_host, make_rule
from tests.support.healing import linear, make_healing, many_healing, random_rules, random_values

SEEDS = st.integers(0, 2**32).map(Random)


@settings(max_examples=250, deadline=None)
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


def a_range(chance: Random) -> Any:
    least, most = sorted((chance.randint(0, 30), chance.randint(0, 30)))
    both = {"all": [{"at_least": least}, {"at_most": most}]}
    return chance.choice([{"at_least": least}, {"at_most": most}, both, both])


@settings(max_examples=60, deadline=None)
@given(SEEDS)
def test_ranges_decide_what_asking_every_rule_decides(chance: Random) -> None:
    names = ("observed.x", "observed.y", "param.p")
    healing = [
        make_healing(
            f"r{number}",
            where={name: a_range(chance) for name in chance.sample(names, k=chance.randint(0, 2))}
            | ({"observed.z": {"matches": "a|b"}} if chance.random() < 0.3 else {}),
            priority=chance.choice([number + 1, chance.randint(1, 5)]),
        )
        for number in range(chance.randint(9, 60))
    ]
    for _ in range(10):
        names_seen = [n for n in "xyz" if chance.random() < 0.9]
        values = (*range(-1, 32), True, "7", None, "a")
        rule = make_rule(params={"p": chance.choice(values)})
        finding = make_finding(observed={name: chance.choice(values) for name in names_seen})
        desired = make_desired([rule], healing=tuple(healing))
        found = tuple(each.id for each in chosen(rule, finding, desired))
        assert found == linear(healing, rule, finding, desired.host)


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
    "a band": lambda n: {
        "where": {"observed.x": {"all": [{"at_least": n * 3}, {"at_most": n * 3 + 4}]}}
    },
    "a least number": lambda n: {"where": {"observed.x": {"at_least": n}}},
    "a least number, in any order": lambda n: {
        "where": {"observed.x": {"at_least": n * 7919 % 10_007}}
    },
    "a most number": lambda n: {"where": {"observed.x": {"at_most": n}}},
}


def asked(kind: str, rules: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """Most conditions that one decision asks for, among so many rules that differ in one way."""
    made = HealingIndex(many_healing(rules, KINDS[kind]))
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
    few, many = asked(kind, 10, monkeypatch), asked(kind, 10_000, monkeypatch)
    ranged = kind.startswith(("a band", "a least", "a most"))
    assert many <= (FEW if ranged else few)
    assert few <= (FEW if ranged else 1)


def test_a_decision_looks_up_once_for_each_group_and_not_for_each_rule() -> None:
    [of_check] = HealingIndex(many_healing(1_000, KINDS["two values"]))._checks.values()
    assert len(of_check.groups) == 1
    assert len(of_check.groups[0].table) == 1_000


def test_halving_keeps_about_as_many_entries_as_there_are_rules() -> None:
    for kind in ("a band", "a least number", "a least number, in any order", "a most number"):
        [of_check] = HealingIndex(many_healing(2_000, KINDS[kind]))._checks.values()
        [bucket] = of_check.groups[0].table.values()
        assert entries(bucket.ranges[0].cut) <= 3 * 2_000


def entries(found: Any) -> int:
    """How many entries a tree of cuts holds."""
    if isinstance(found, Cut):
        return entries(found.below) + entries(found.above)
    return len(found)
