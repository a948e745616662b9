from reconciler.desired.binding import bind_host, rule_names
from reconciler.desired.fleet import read_fleet
from reconciler.model.desired import BoundRemedy
from reconciler.model.expectation import Expectation
from tests.support.policy import CHECKS, base_files

HOST = "hosts/clinic/desk.yaml"
CLIENT = "hosts/clinic/client.yaml"
RULE = "policies/rules/unit-runs.yaml"


def bound(*changes, checks=CHECKS, skip=frozenset()):
    files = base_files()
    for path, old, new in changes:
        assert old.encode() in files[path]
        files[path] = files[path].replace(old.encode(), new.encode())
    fleet = read_fleet(files)
    assert fleet.problems == ()
    client, host = fleet.clients["clinic"], fleet.hosts["clinic/desk"]
    return bind_host(fleet, client, host, checks, skip=skip)


def by_id(binding):
    return {rule.id: rule for rule in binding.rules}


def test_rules_come_in_the_order_of_the_baseline_and_once():
    twice = (HOST, "policies: [core]", "policies: [core, core]")
    expected = ["root-login", "idle", "unit-runs[time]", "unit-runs[web]"]
    assert [rule.id for rule in bound(twice).rules] == expected


def test_an_item_s_rule_has_the_item_s_values():
    rule = by_id(bound())["unit-runs[web]"]
    assert rule.rule == "unit-runs"
    assert rule.params == {"unit": "nginx.service", "accounts": ("alice", "bob")}
    assert rule.remedy == BoundRemedy(runbook="RB-UNIT-001", params={"unit": "nginx.service"})


def test_defaults_of_the_check_are_filled_in():
    assert by_id(bound())["root-login"].params == {"limit": 10}


def test_something_is_enforced_only_when_everybody_agrees():
    assert by_id(bound())["unit-runs[web]"].enforce
    assert not by_id(bound())["root-login"].enforce
    for path in (HOST, CLIENT, RULE):
        lowered = bound((path, "mode: enforce", "mode: observe"))
        assert not by_id(lowered)["unit-runs[web]"].enforce
    overrides = "overrides: {unit-runs: {mode: observe, reason: Later.}}\ndeclares:"
    assert not by_id(bound((HOST, "declares:", overrides)))["unit-runs[web]"].enforce


def test_an_override_without_a_mode_changes_none():
    overrides = "overrides: {unit-runs: {reason: A note.}}\ndeclares:"
    assert by_id(bound((HOST, "declares:", overrides)))["unit-runs[web]"].enforce


def test_an_override_changes_the_parameters_and_expectations_it_names():
    overrides = (
        "overrides: {idle: {params: {limit: 9}, expect: {tries: 1}, reason: Small.}}\ndeclares:"
    )
    rule = by_id(bound((HOST, "declares:", overrides)))["idle"]
    assert rule.params == {"limit": 9}
    assert rule.expect["tries"] == Expectation("equals", 1)
    assert rule.expect["idle_s"].op == "any"


def test_a_runbook_for_another_kind_of_host_is_no_remedy():
    path = "runbooks/RB-UNIT-001.yaml"
    binding = bound((path, "platforms: [linux]", "platforms: [nixos]"))
    assert by_id(binding)["unit-runs[web]"].remedy is None
    assert binding.problems == []


def test_a_value_that_the_runbook_refuses_leaves_the_finding_to_a_person():
    binding = bound((HOST, "nginx.service", "ngi-nx.service"))
    assert by_id(binding)["unit-runs[web]"].remedy is None
    assert by_id(binding)["unit-runs[time]"].remedy is not None
    assert [problem.severity for problem in binding.problems] == ["warning"]


def test_a_value_that_the_check_refuses_is_an_error_and_no_rule():
    binding = bound((HOST, "nginx.service", "nginx.socket"))
    assert "unit-runs[web]" not in by_id(binding)
    assert [problem.severity for problem in binding.problems] == ["error"]


def test_a_rule_whose_check_is_not_there_is_an_error():
    checks = {name: check for name, check in CHECKS.items() if name != "TST-UNIT-001"}
    assert [problem.message for problem in bound(checks=checks).problems] == [
        "there is no check TST-UNIT-001"
    ]


def test_a_rule_for_another_platform_is_an_error():
    binding = bound((HOST, "kind: linux", "kind: nixos"))
    assert [problem.message for problem in binding.problems] == [
        "rule unit-runs: check TST-UNIT-001 is not for nixos"
    ]


def test_rules_whose_faults_are_known_are_passed_over():
    assert "root-login" not in by_id(bound(skip=frozenset({"root-login"})))


def test_names_of_rules_need_no_binding():
    fleet = read_fleet(base_files())
    names = rule_names(fleet, fleet.hosts["clinic/desk"])
    assert names == ["root-login", "idle", "unit-runs"]
