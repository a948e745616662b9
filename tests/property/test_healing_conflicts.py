"""What `check` says of healing rules is what the planner then meets, for every possible finding."""

from dataclasses import replace
from itertools import product
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.desired.fleet import read_fleet
from reconciler.desired.graph.answers import answer_problems
from reconciler.desired.graph.context import Graph
from reconciler.desired.resolve import resolve
from reconciler.model.desired import DesiredState
from reconciler.model.finding import Finding
from reconciler.model.healing_rule import HealingRule
from reconciler.plan.choice import chosen
from tests.support.healing import make_healing, random_predicate
from tests.support.policy import CHECKS, STEPS, base_files

SSH = "TST-SSH-001"
FLEET = read_fleet(base_files())
GRAPH = Graph(FLEET, CHECKS, STEPS, FLEET.controls())
VALUES: dict[str, tuple[Any, ...]] = {
    "root_login": ("", "a", "b", "1", "true", "trux", "zz"),
    "tries": tuple(range(-1, 6)),
    "idle_s": (None, *range(-1, 6)),
}
SEEN = [
    *({"root_login": a, "tries": b} for a, b in product(VALUES["root_login"], VALUES["tries"])),
    *({"idle_s": a} for a in VALUES["idle_s"]),
]


def some_rules(chance: Random) -> list[HealingRule]:
    """A few rules about one check, some of which can never match."""
    return [
        make_healing(
            f"r{number}",
            check=SSH,
            runbook="RB-UNIT-001",
            rules=chance.choice([[], [], ["idle"], ["root-login"]]),
            severity=chance.choice([[], [], ["low"], ["high"]]),
            roles=chance.choice([[], [], [], ["server"]]),
            where={
                f"observed.{name}": random_predicate(chance)
                for name in VALUES
                if chance.random() < 0.35
            },
            priority=chance.choice([1, 1, 2, 3]),
            enabled=chance.random() < 0.95,
        )
        for number in range(chance.randint(1, 5))
    ]


def findings(state: DesiredState) -> list[tuple[Any, Finding]]:
    """Every finding of every bound rule of the check, as far as values differ."""
    return [
        (
            rule,
            Finding(
                rule=rule.id,
                check=SSH,
                target=state.target,
                status="fail",
                severity=rule.severity,
                controls=(),
                observed=seen,
            ),
        )
        for rule in state.rules
        for seen in SEEN
        if rule.check == SSH and seen.keys() == rule.expect.keys()
    ]


def told(healing: list[HealingRule]) -> dict[str, list[str]]:
    """What is said of each rule."""
    fleet = replace(FLEET, healing={each.id: each for each in healing})
    said: dict[str, list[str]] = {each.id: [] for each in healing}
    for problem in answer_problems(replace(GRAPH, fleet=fleet)):
        name = problem.where.file.rpartition("/")[2].removesuffix(".yaml")
        said[name].append(f"{problem.severity}: {problem.message}")
    return said


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**32).map(Random))
def test_what_is_said_of_rules_is_what_happens(chance: Random) -> None:
    healing = some_rules(chance)
    said = told(healing)
    fleet = replace(FLEET, healing={each.id: each for each in healing})
    state = resolve(fleet, "clinic", "desk", commit="c" * 40, tree="7" * 40, checks=CHECKS)
    won: set[str] = set()
    for rule, finding in findings(state):
        winners = [each.id for each in chosen(rule, finding, state)]
        won.update(winners)
        if len(winners) > 1:
            later = said[winners[-1]]
            assert any("conflict" in each for each in later), (winners, finding.observed, said)
    for name, messages in said.items():
        if any("never decides" in each for each in messages):
            assert name not in won, (name, messages)
        if not next(each for each in healing if each.id == name).enabled:
            assert messages == []


def test_the_rules_that_are_tried_do_collide_and_do_come_first_and_do_neither() -> None:
    everything = [
        message
        for seed in range(200)
        for messages in told(some_rules(Random(seed))).values()
        for message in messages or ["nothing"]
    ]
    for part in (
        "error: conflicts with",
        "has a higher priority",
        "no finding can meet",
        "nothing",
    ):
        assert any(part in message for message in everything), part
