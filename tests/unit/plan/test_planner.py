import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import InputError
from reconciler.model.desired import BoundRemedy
from reconciler.model.plan import Unplanned
from reconciler.plan.planner import plan
from tests.support.desired_states import (
    make_desired,
    make_finding,
    make_host,
    make_rule,
    make_runbook,
    pin,
)


def remedy(runbook: str = "RB-TIME-001", **params: object) -> BoundRemedy:
    return BoundRemedy(runbook=runbook, params=params)  # type: ignore[arg-type]


def test_no_failing_finding_is_an_empty_plan() -> None:
    made = plan([make_finding(status="pass")], make_desired())
    assert (made.actions, made.unplanned) == ((), ())
    assert made.digest == plan([], make_desired()).digest


@pytest.mark.parametrize("status", ["unknown", "not_applicable", "excepted", "pass"])
def test_only_a_fail_is_planned_for(status: str) -> None:
    assert plan([make_finding(status=status)], make_desired()).actions == ()  # type: ignore[arg-type]


def test_a_failing_finding_becomes_the_action_of_its_remedy() -> None:
    (action,) = plan([make_finding()], make_desired()).actions
    assert (action.runbook, action.rules, action.tier) == ("RB-TIME-001", ("time",), "L1")
    assert action.target == "clinic/frontdesk"
    assert action.runbook_digest == "a" * 64
    assert action.params == {"unit": "chrony.service"}


def test_rules_with_the_same_work_share_one_action_even_when_one_spells_out_the_default() -> None:
    rules = [make_rule("time"), make_rule("clock", remedy=remedy(unit="chrony.service"))]
    made = plan([make_finding("time"), make_finding("clock")], make_desired(rules))
    assert [action.rules for action in made.actions] == [("clock", "time")]


def test_other_parameters_are_other_work() -> None:
    rules = [make_rule("time"), make_rule("clock", remedy=remedy(unit="ntpsec.service"))]
    made = plan([make_finding("time"), make_finding("clock")], make_desired(rules))
    assert len({action.id for action in made.actions}) == 2


def test_the_id_depends_on_the_content_of_the_runbook() -> None:
    old = plan([make_finding()], make_desired())
    new = plan([make_finding()], make_desired(runbooks=[pin(make_runbook(), digest="b" * 64)]))
    assert old.actions[0].id != new.actions[0].id
    assert old.digest != new.digest


def test_the_severest_comes_first() -> None:
    rules = [
        make_rule("low", severity="low", remedy=remedy(unit="a.service")),
        make_rule("critical", severity="critical", remedy=remedy(unit="b.service")),
        make_rule("medium", severity="medium", remedy=remedy(unit="a.service")),
        make_rule("high", severity="high", remedy=remedy(unit="c.service")),
    ]
    made = plan([make_finding(rule.id) for rule in rules], make_desired(rules))
    assert [action.rules for action in made.actions] == [
        ("critical",),
        ("high",),
        ("low", "medium"),
    ]


@given(st.permutations(["a", "b", "c", "d"]))
def test_the_order_of_findings_changes_nothing(order: list[str]) -> None:
    rules = [make_rule(name, remedy=remedy(unit=f"{name}.service")) for name in "abcd"]
    expected = plan([make_finding(name) for name in "abcd"], make_desired(rules))
    assert plan([make_finding(name) for name in order], make_desired(rules)) == expected


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"remedy": None}, "no-remedy"),
        ({"enforce": False}, "observe"),
        ({"remedy": remedy("RB-OTHER-001")}, "no-runbook"),
        ({"check": "LNX-SSH-001"}, "not-fixed-by-runbook"),
        ({"remedy": remedy(unit=7)}, "bad-parameters"),
        ({"remedy": remedy(nit="x")}, "bad-parameters"),
        ({"remedy": remedy(unit="\ud800")}, "bad-parameters"),
    ],
)
def test_what_cannot_be_planned_is_left_to_people_with_the_reason(
    change: dict[str, object], reason: str
) -> None:
    made = plan([make_finding()], make_desired([make_rule(**change)]))
    assert made.actions == ()
    assert [(left.rule, left.reason) for left in made.unplanned] == [("time", reason)]


def test_a_rule_without_remedy_says_so_whether_observed_or_enforced() -> None:
    made = plan([make_finding()], make_desired([make_rule(remedy=None, enforce=False)]))
    assert made.unplanned == (Unplanned("time", "no-remedy"),)


def test_a_runbook_of_another_platform_is_not_planned() -> None:
    desired = make_desired(host=make_host(kind="nixos"))
    assert plan([make_finding()], desired).unplanned[0].reason == "not-for-this-platform"


@pytest.mark.parametrize(
    "finding", [make_finding("unheard-of"), make_finding(target="clinic/server")]
)
def test_a_finding_of_another_host_or_rule_stops_the_plan(finding: object) -> None:
    with pytest.raises(InputError, match="is not about clinic/frontdesk"):
        plan([finding], make_desired())  # type: ignore[list-item]
