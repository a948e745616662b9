from reconciler.desired.fleet import read_fleet
from reconciler.desired.graph.context import Graph
from reconciler.desired.graph.rules import rule_problems
from tests.support.policy import CHECKS, STEPS, base_files


def problems_of(files, checks=CHECKS):
    fleet = read_fleet(files)
    return rule_problems(Graph(fleet, checks, STEPS, fleet.controls()))


def test_problems_are_told_by_rule_so_that_good_rules_can_go_on():
    files = base_files()
    path = "policies/rules/idle.yaml"
    files[path] = files[path].replace(b"limit: 5", b"limit: 500")
    found = problems_of(files)
    assert {name: len(problems) for name, problems in found.items()} == {
        "idle": 1,
        "root-login": 0,
        "unit-runs": 0,
    }


def test_without_a_catalogue_every_rule_is_a_problem():
    assert all(problems for problems in problems_of(base_files(), checks={}).values())


def test_a_remedy_for_platforms_that_the_check_never_sees_is_an_error():
    files = base_files()
    path = "runbooks/RB-UNIT-001.yaml"
    files[path] = files[path].replace(b"platforms: [linux]", b"platforms: [windows]")
    messages = [problem.message for problem in problems_of(files)["unit-runs"]]
    assert messages == ["runbook RB-UNIT-001 is for windows; check TST-UNIT-001 is not"]
