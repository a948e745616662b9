"""What differs between two plans of a host is told once, and told alike in both directions."""

from typing import Any

from reconciler.model.client import KillSwitch
from reconciler.model.expectation import Expectation
from reconciler.model.guard_settings import CooldownSettings, GuardSettings
from reconciler.model.review import FieldChange, HostChange
from reconciler.plan.change import host_change
from reconciler.plan.host_plan import host_plan
from tests.support.desired_states import make_client, make_desired, make_rule, make_runbook, pin
from tests.support.healing import make_healing


def change(old: dict[str, Any], new: dict[str, Any]) -> HostChange:
    found = host_change(host_plan(make_desired(**old)), host_plan(make_desired(**new)))
    assert found is not None
    return found


def expecting(wanted: Expectation) -> dict[str, Any]:
    return {"rules": [make_rule(expect={"active": wanted})]}


def test_equal_plans_have_no_change() -> None:
    plan = host_plan(make_desired())
    assert host_change(plan, host_plan(make_desired())) is None
    assert host_change(None, None) is None


def test_an_expectation_is_told_old_and_new() -> None:
    found = change(
        expecting(Expectation("at_most", 4)), expecting(Expectation("one_of", ("a", "b")))
    )
    [rule] = found.rules
    assert (rule.rule, rule.change) == ("time", "changed")
    assert rule.fields == (FieldChange("expect.active", "at most 4", "one of [a, b]"),)
    assert found.change == "changed"
    assert found.settings == found.runbooks == found.exceptions == ()


def test_values_that_read_the_same_are_told_apart() -> None:
    found = change(expecting(Expectation("equals", True)), expecting(Expectation("equals", "true")))
    [field] = found.rules[0].fields
    assert field.old != field.new
    assert '"value":true' in field.old
    assert '"value":"true"' in field.new


def test_one_is_not_true() -> None:
    found = change(expecting(Expectation("equals", True)), expecting(Expectation("equals", 1)))
    assert [f.field for f in found.rules[0].fields] == ["expect.active"]


def test_severity_mode_controls_remedy_and_parameters_are_told() -> None:
    new = make_rule(severity="critical", enforce=False, controls=("a:1",), remedy=None)
    found = change({}, {"rules": [new]})
    assert {f.field: (f.old, f.new) for f in found.rules[0].fields} == {
        "controls": ("[hipaa:164.312(b)]", "[a:1]"),
        "mode": ("enforce", "observe"),
        "remedy": ("RB-TIME-001", "-"),
        "severity": ("medium", "critical"),
    }


def test_a_rule_that_comes_or_goes_is_told_whole() -> None:
    found = change({}, {"rules": [make_rule(), make_rule("other")]})
    [rule] = found.rules
    assert (rule.rule, rule.change) == ("other", "added")
    assert FieldChange("expect.active", "-", "true") in rule.fields
    back = change({"rules": [make_rule(), make_rule("other")]}, {})
    assert [(r.rule, r.change) for r in back.rules] == [("other", "removed")]


def test_a_runbook_becomes_reachable_with_its_mode_and_blast_radius() -> None:
    observed = {"rules": [make_rule(enforce=False)]}
    found = change(observed, {})
    [runbook] = found.runbooks
    assert (runbook.runbook, runbook.change, runbook.mode) == ("RB-TIME-001", "added", "auto")
    assert runbook.blast_radius == "One unit"
    assert runbook.rules == ("time",)
    assert runbook.approved
    [gone] = change({}, observed).runbooks
    assert gone.change == "removed"


def test_a_runbook_that_changes_is_told_field_by_field() -> None:
    other = pin(make_runbook(mode="window"), digest="b" * 64, approved=False)
    [runbook] = change({}, {"runbooks": [other]}).runbooks
    assert runbook.change == "changed"
    assert {f.field: (f.old, f.new) for f in runbook.fields} == {
        "approved": ("true", "false"),
        "digest": ("a" * 64, "b" * 64),
        "mode": ("auto", "window"),
    }


def test_settings_and_kill_switches_are_told_by_their_place() -> None:
    switch = KillSwitch(engaged=True, reason="Stop.")
    found = change({}, {"client": make_client(mode="observe"), "kill_switches": {"client": switch}})
    assert {f.field: (f.old, f.new) for f in found.settings} == {
        "client.mode": ("enforce", "observe"),
        "kill_switches": ("[]", "[client]"),
    }


def test_a_host_that_comes_has_everything_new() -> None:
    plan = host_plan(make_desired())
    found = host_change(None, plan)
    assert found is not None
    assert (found.change, found.old_digest, found.target) == ("added", None, "clinic/frontdesk")
    assert [r.change for r in found.rules] == ["added"]
    assert [r.change for r in found.runbooks] == ["added"]
    gone = host_change(plan, None)
    assert gone is not None
    assert (gone.change, gone.new_digest) == ("removed", None)


def test_the_number_of_a_guard_is_told_by_its_place() -> None:
    found = change({}, {"guards": GuardSettings(cooldown=CooldownSettings(base_s=600))})
    assert found.settings == (FieldChange("guards.cooldown.base_s", "300", "600"),)


def test_a_healing_rule_that_comes_is_told_by_what_it_asks_and_answers() -> None:
    healing = make_healing(
        where={"observed.x": {"at_least": 3}}, params={"unit": {"ref": "observed.unit"}}
    )
    found = change({}, {"healing": (healing,)})
    assert {f.field: (f.old, f.new) for f in found.settings} == {
        "healing.restart.check": ("-", "LNX-TIME-001"),
        "healing.restart.params.unit": ("-", "{ref: observed.unit}"),
        "healing.restart.priority": ("-", "100"),
        "healing.restart.runbook": ("-", "RB-TIME-001"),
        "healing.restart.where.observed.x": ("-", "at least 3"),
    }
    [runbook] = found.runbooks
    assert [f.field for f in runbook.fields] == ["by_observation"]


def test_a_condition_that_comes_to_a_healing_rule_is_told_alone() -> None:
    before = {"healing": (make_healing(params={"unit": "a.service"}),)}
    after = {"healing": (make_healing(params={"unit": "a.service"}, severity=["medium"]),)}
    found = change(before, after)
    assert found.settings == (FieldChange("healing.restart.severity", "-", "[medium]"),)


def test_a_runbook_that_only_a_healing_rule_reaches_names_its_rules() -> None:
    rules = [make_rule(remedy=None)]
    healing = make_healing(params={"unit": {"ref": "observed.unit"}})
    [runbook] = change({"rules": rules}, {"rules": rules, "healing": (healing,)}).runbooks
    assert (runbook.change, runbook.rules) == ("added", ("time",))
