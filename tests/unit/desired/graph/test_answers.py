"""Healing rules beside one another, where the vectors are too small: many rules, many hosts."""

from dataclasses import replace
from typing import Any

import pytest

from reconciler.desired.fleet import read_fleet
from reconciler.desired.graph import answers, check_fleet, subjects
from reconciler.desired.graph.answers import answer_problems
from reconciler.desired.graph.context import Graph
from reconciler.model.healing_rule import HealingRule
from tests.support.healing import make_healing
from tests.support.policy import CHECKS, STEPS, approved, base_files

UNIT = {"check": "TST-UNIT-001", "runbook": "RB-UNIT-001", "params": {"unit": "a.service"}}
SSH = {"check": "TST-SSH-001", "runbook": "RB-UNIT-001", "params": {"unit": "a.service"}}


def said(*healing: HealingRule, hosts: dict[str, str] | None = None) -> list[str]:
    files = base_files()
    for name, changes in (hosts or {}).items():
        desk = files["hosts/clinic/desk.yaml"].decode().replace("id: desk", f"id: {name}")
        files[f"hosts/clinic/{name}.yaml"] = f"{desk}{changes}\n".encode()
    fleet = replace(read_fleet(files), healing={each.id: each for each in healing})
    graph = Graph(fleet, CHECKS, STEPS, fleet.controls())
    return [f"{p.where.file.split('/')[-1]}: {p.message}" for p in answer_problems(graph)]


def test_many_rules_of_one_priority_that_differ_in_a_value_do_not_collide() -> None:
    rules = [make_healing(f"r{n}", where={"observed.tries": n}, **SSH) for n in range(2_000)]
    assert said(*rules) == []
    twice = make_healing("twice", where={"observed.tries": {"one_of": [700, 1_500]}}, **SSH)
    assert said(*rules, twice) == [
        "twice.yaml: conflicts with r1500: both match root-login on clinic/desk when tries is 1500"
    ]


def test_rules_of_different_hosts_do_not_collide_and_those_of_one_do() -> None:
    server = make_healing("a", roles=["server"], **UNIT)
    old = make_healing("b", tags=["old"], **UNIT)
    apart = {"one": "roles: [server]", "two": "tags: [old]"}
    assert said(server, old, hosts=apart) == []
    [problem] = said(server, old, hosts=apart | {"both": "roles: [server]\ntags: [old]"})
    assert problem == "b.yaml: conflicts with a: both match unit-runs[time] on clinic/both"


def test_a_rule_collides_with_one_of_a_parameter_only_where_that_is_given() -> None:
    time = make_healing("a", where={"param.unit": "chrony.service"}, **UNIT)
    web = make_healing("b", where={"param.unit": {"not": "chrony.service"}}, **UNIT)
    assert said(time, web) == []
    [problem] = said(time, make_healing("c", **UNIT))
    assert problem == "c.yaml: conflicts with a: both match unit-runs[time] on clinic/desk"


def test_more_pairs_than_are_compared_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "MOST_PAIRS", 10)
    rules = [
        make_healing(f"r{n}", where={"observed.tries": {"at_least": n}}, **SSH) for n in range(6)
    ]
    told = said(*rules)
    assert any("that not all were compared" in each for each in told)
    assert any("conflicts with" in each for each in told)


def test_more_subjects_than_are_looked_at_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subjects, "MOST_SUBJECTS", 1)
    assert said(make_healing("a", **SSH)) == [
        "a.yaml: so many healing rules are about TST-SSH-001 that they were not compared"
    ]


def test_more_kinds_of_hosts_than_are_tried_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "MOST_INDEXES", 1)
    high = make_healing("high", priority=900, **UNIT)
    low = make_healing("low", **UNIT)
    [problem] = said(high, low, hosts={"one": "tags: [a]", "two": "tags: [b]"})
    assert "about TST-UNIT-001 were tried on all of them" in problem


def test_a_higher_rule_is_no_shadow_where_a_lower_one_still_decides() -> None:
    high = make_healing("high", priority=900, where={"observed.tries": {"at_least": 5}}, **SSH)
    low = make_healing("low", where={"observed.tries": {"at_least": 3}}, **SSH)
    inside = make_healing("inside", where={"observed.tries": {"at_least": 7}}, priority=800, **SSH)
    assert said(high, low) == []
    assert said(high, inside) == [
        "inside.yaml: never decides: high has a higher priority and matches whatever this rule "
        "matches"
    ]


def test_a_rule_on_more_hosts_is_not_shadowed_by_one_on_fewer() -> None:
    high = make_healing("high", priority=900, roles=["server"], **UNIT)
    low = make_healing("low", **UNIT)
    assert said(high, low, hosts={"one": "roles: [server]"}) == []


RUNBOOK = "runbooks/RB-UNIT-001.yaml"


@pytest.mark.parametrize(
    ("platforms", "healing", "message"),
    [
        ("windows", UNIT, "runbook RB-UNIT-001 is for windows; check TST-UNIT-001 is not"),
        ("nixos", SSH, "runbook RB-UNIT-001 is for no host that is held to such a rule"),
    ],
)
def test_an_answer_for_another_platform_is_said(
    platforms: str, healing: dict[str, Any], message: str
) -> None:
    files = base_files()
    del files["runbooks/approved.yaml"], files["policies/rules/unit-runs.yaml"]
    text = files[RUNBOOK].decode().replace("[linux]", f"[{platforms}]")
    files[RUNBOOK] = text.replace("[TST-UNIT-001]", "[TST-UNIT-001, TST-SSH-001]").encode()
    core = files["policies/baselines/core.yaml"].decode().replace(", unit-runs", "")
    files["policies/baselines/core.yaml"] = core.encode()
    rule = make_healing("a", **healing)
    fleet = replace(read_fleet(approved(files)), healing={"a": rule})
    told = [problem.message for problem in check_fleet(fleet, CHECKS, STEPS)]
    assert any(each.startswith(message) for each in told), told
