"""Which healing rule answers, with which parameters, and what happens where none can."""

from typing import Any

import pytest

from reconciler.model.desired import BoundRemedy
from reconciler.model.plan import Plan
from reconciler.plan import choice
from reconciler.plan.choice import chosen
from reconciler.plan.planner import plan
from tests.support.desired_states import (
    make_desired,
    make_finding,
    make_host,
    make_rule,
    make_runbook,
    pin,
)
from tests.support.healing import make_healing

UNIT = {
    "unit": {"type": "str", "doc": "x", "pattern": r"[a-z]+\.service"},
    "wait_s": {"type": "int", "doc": "x", "required": False, "default": 30, "maximum": 60},
}
RUNBOOK = "RB-UNIT-001"


def planned(*healing: Any, observed: Any = None, **changes: Any) -> Plan:
    rule = make_rule(**changes.pop("rule", {}))
    runbooks = [pin(make_runbook()), pin(make_runbook(RUNBOOK, parameters=UNIT))]
    desired = make_desired([rule], runbooks, healing=healing, **changes)
    return plan([make_finding(severity=rule.severity, observed=observed or {})], desired)


def reason(made: Plan) -> tuple[str, str]:
    [left] = made.unplanned
    assert made.actions == ()
    return left.reason, left.detail


def test_a_healing_rule_speaks_before_the_rules_own_remedy_and_is_named() -> None:
    [action] = planned(
        make_healing(runbook=RUNBOOK, params={"unit": "ntp.service"}, where={"observed.x": 1}),
        observed={"x": 1},
    ).actions
    assert (action.runbook, action.healing) == (RUNBOOK, ("restart",))
    assert action.params == {"unit": "ntp.service", "wait_s": 30}


def test_where_no_healing_rule_matches_the_rule_answers_itself() -> None:
    made = planned(make_healing(where={"observed.x": 1}), observed={"x": 2})
    assert [(a.runbook, a.healing) for a in made.actions] == [("RB-TIME-001", ())]


def test_it_answers_a_rule_without_a_remedy() -> None:
    assert planned(make_healing(), rule={"remedy": None}).actions[0].runbook == "RB-TIME-001"


def test_the_highest_priority_decides() -> None:
    low = make_healing("low", priority=1, params={"unit": "low.service"})
    high = make_healing("high", priority=2, params={"unit": "high.service"})
    assert planned(low, high).actions[0].params == {"unit": "high.service"}


def test_the_same_work_is_one_action_of_every_healing_rule_that_chose_it() -> None:
    rules = [make_rule(name, remedy=None) for name in ("a", "b", "c")]
    healing = (make_healing("for-a", rules=["a"]), make_healing("for-b", rules=["b"]))
    own = make_rule("c", remedy=BoundRemedy(runbook="RB-TIME-001", params={}))
    desired = make_desired([*rules[:2], own], healing=healing)
    [action] = plan([make_finding(name) for name in "abc"], desired).actions
    assert (action.rules, action.healing) == (("a", "b", "c"), ("for-a", "for-b"))


def test_equal_priorities_decide_nothing_and_do_not_fall_back() -> None:
    made = planned(make_healing("one"), make_healing("two"))
    assert reason(made) == ("conflict", "healing rules of equal priority match: one, two")


def test_in_observe_mode_it_is_only_named() -> None:
    made = planned(make_healing(runbook=RUNBOOK), rule={"enforce": False})
    assert reason(made) == ("observe", f"{RUNBOOK} is the remedy under enforce")


@pytest.mark.parametrize(
    ("conditions", "host"),
    [
        ({"roles": ["server"]}, {"roles": ["desk"]}),
        ({"tags": ["old", "new"]}, {"tags": ["old"]}),
        ({"enabled": False}, {}),
        ({"severity": ["critical"]}, {}),
        ({"rules": ["clock"]}, {}),
        ({"check": "LNX-SSH-001"}, {}),
        ({"where": {"observed.gone": {"not": 1}}}, {}),
        ({"where": {"observed.gone": {"absent": True}}}, {}),
        ({"where": {"param.gone": 1}}, {}),
    ],
)
def test_every_condition_must_hold_and_what_nobody_looked_at_meets_none(
    conditions: dict[str, Any], host: dict[str, Any]
) -> None:
    made = planned(make_healing(runbook=RUNBOOK, **conditions), host=make_host(**host))
    assert made.actions[0].runbook == "RB-TIME-001"


def test_roles_are_any_and_tags_are_all() -> None:
    healing = make_healing(runbook=RUNBOOK, roles=["a", "b"], tags=["x", "y"], params={"unit": "a"})
    host = make_host(roles=["b"], tags=["y", "x"])
    assert planned(healing, host=host).unplanned[0].reason == "bad-parameters"


def test_an_observed_value_and_a_parameter_of_the_check_become_parameters() -> None:
    healing = make_healing(
        runbook=RUNBOOK, params={"unit": {"ref": "observed.unit"}, "wait_s": {"ref": "param.limit"}}
    )
    made = planned(healing, observed={"unit": "web.service"}, rule={"params": {"limit": 5}})
    assert made.actions[0].params == {"unit": "web.service", "wait_s": 5}


def test_what_is_absent_leaves_an_optional_parameter_to_its_default() -> None:
    healing = make_healing(
        runbook=RUNBOOK, params={"unit": "a.service", "wait_s": {"ref": "observed.n"}}
    )
    assert planned(healing, observed={"n": None}).actions[0].params["wait_s"] == 30


@pytest.mark.parametrize(
    "value",
    [
        "; rm -rf /",
        "web.service\n",
        "WEB.service",
        "",
        7,
        True,
        None,
        ("web.service",),
        "a" * 5_000,
    ],
)
def test_an_observed_value_that_the_runbook_does_not_take_is_never_a_parameter(value: Any) -> None:
    healing = make_healing(runbook=RUNBOOK, params={"unit": {"ref": "observed.unit"}})
    found, detail = reason(planned(healing, observed={"unit": value}))
    assert found == "bad-parameters"
    assert detail == "restart: unit: the runbook does not take what observed.unit is"


@pytest.mark.parametrize(
    ("declared", "value"),
    [
        ({"type": "str"}, "/etc/shadow"),
        ({"type": "list[str]"}, ("/etc/shadow",)),
        ({"type": "int"}, -1),
        ({"type": "int", "minimum": 0}, 2**40),
    ],
)
def test_an_observed_value_is_no_parameter_where_the_runbook_bounds_nothing(
    declared: dict[str, Any], value: Any
) -> None:
    runbook = make_runbook(RUNBOOK, parameters={"unit": {"doc": "x", **declared}})
    healing = make_healing(runbook=RUNBOOK, params={"unit": {"ref": "observed.unit"}})
    desired = make_desired(runbooks=[pin(runbook)], healing=(healing,))
    found, detail = reason(plan([make_finding(observed={"unit": value})], desired))
    assert found == "bad-parameters"
    assert detail == "restart: unit: the runbook does not take what observed.unit is"


def test_a_pattern_that_could_run_away_is_not_tried_on_what_a_machine_sent() -> None:
    slow = {"unit": {"type": "str", "doc": "x", "pattern": "[a-z]+" * 12 + "!"}}
    healing = make_healing(params={"unit": {"ref": "observed.unit"}})
    desired = make_desired(runbooks=[pin(make_runbook(parameters=slow))], healing=(healing,))
    made = plan([make_finding(observed={"unit": "a" * 4_000})], desired)
    assert made.unplanned[0].reason == "bad-parameters"


def test_an_observed_value_that_may_identify_a_person_is_never_a_parameter() -> None:
    free = {"unit": {"type": "str", "doc": "x"}}
    runbooks = [pin(make_runbook(RUNBOOK, parameters=free))]
    for source, expected in (("observed", "holds what may identify a person"), ("param", "")):
        healing = make_healing(runbook=RUNBOOK, params={"unit": {"ref": f"{source}.unit"}})
        rule = make_rule(params={"unit": "John Smith"})
        desired = make_desired([rule], runbooks, healing=(healing,))
        made = plan([make_finding(observed={"unit": "John Smith"})], desired)
        assert [u.detail.rpartition("observed.unit ")[2] for u in made.unplanned] == (
            [expected] if expected else []
        )


def test_what_was_not_observed_is_not_a_default() -> None:
    healing = make_healing(
        runbook=RUNBOOK, params={"unit": "a.service", "wait_s": {"ref": "observed.n"}}
    )
    assert reason(planned(healing)) == (
        "bad-parameters",
        "restart: wait_s: observed.n was not observed",
    )


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"runbook": "RB-OTHER-001"}, "no-runbook"),
        ({"params": {"unit": 7}}, "bad-parameters"),
        ({"params": {"nit": "x"}}, "bad-parameters"),
    ],
)
def test_an_answer_with_a_fault_is_left_to_people_and_not_replaced(
    change: dict[str, Any], expected: str
) -> None:
    assert reason(planned(make_healing(**change)))[0] == expected


def test_an_index_is_compiled_once_for_a_desired_state_and_few_are_kept() -> None:
    choice._index.cache_clear()
    desired = make_desired(healing=(make_healing(),))
    for _ in range(5):
        assert chosen(desired.rules[0], make_finding(), desired)
    assert choice._index.cache_info().misses == 1
    for number in range(20):
        other = make_desired(healing=(make_healing(f"r{number}"),))
        [healing] = chosen(other.rules[0], make_finding(), other)
        assert healing.id == f"r{number}"
    assert choice._index.cache_info().currsize <= 8
