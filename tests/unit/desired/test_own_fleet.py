"""The policies, hosts and runbooks that this repository ships."""

from collections import Counter
from pathlib import Path

import pytest

from reconciler.checks import catalogue as checks
from reconciler.desired.directory import read_directory
from reconciler.desired.fleet import read_fleet
from reconciler.desired.graph import check_fleet
from reconciler.desired.resolve import resolve
from reconciler.steps import catalogue as steps

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def fleet():
    return read_fleet(read_directory(ROOT))


def state(fleet, host):
    return resolve(
        fleet, "example-clinic", host, commit="0" * 40, tree="0" * 40, checks=checks.load()
    )


def test_the_whole_graph_has_no_errors(fleet):
    problems = check_fleet(fleet, checks.load(), steps.load())
    assert [str(problem) for problem in problems if problem.severity == "error"] == []


def test_warnings_are_only_of_lists_that_the_workstation_leaves_empty(fleet):
    problems = check_fleet(fleet, checks.load(), steps.load())
    assert {problem.where.field for problem in problems if problem.severity == "warning"} == {
        "declares.backups",
        "declares.certificates",
        "declares.secret_files",
    }


def test_hipaa_has_all_seventy_provisions(fleet):
    controls = fleet.frameworks["hipaa"].controls
    assert len(controls) == 70
    assert Counter(control.kind for control in controls) == {"standard": 22, "specification": 48}
    assert Counter(control.evidence for control in controls) == {
        "tested": 12,
        "supported": 31,
        "attested": 27,
    }


def test_addressable_provisions_are_the_twenty_two_of_the_text(fleet):
    addressable = [c for c in fleet.frameworks["hipaa"].controls if c.requirement == "addressable"]
    assert Counter(control.id[:7] for control in addressable) == {
        "164.308": 11,
        "164.310": 6,
        "164.312": 5,
    }
    assert {control.kind for control in addressable} == {"specification"}


def test_provisions_are_counted_by_section_as_in_the_text(fleet):
    counted = Counter(
        (control.id[:7], control.kind) for control in fleet.frameworks["hipaa"].controls
    )
    assert counted == {
        ("164.308", "standard"): 9,
        ("164.308", "specification"): 21,
        ("164.310", "standard"): 4,
        ("164.310", "specification"): 8,
        ("164.312", "standard"): 5,
        ("164.312", "specification"): 7,
        ("164.314", "standard"): 2,
        ("164.314", "specification"): 9,
        ("164.316", "standard"): 2,
        ("164.316", "specification"): 3,
    }


def test_every_tested_provision_has_a_rule_in_each_baseline(fleet):
    claiming = [each for each in fleet.baselines.values() if "hipaa" in each.frameworks]
    assert len(claiming) >= 2
    for baseline in claiming:
        covered = {c for rule in baseline.rules for c in fleet.rules[rule].controls}
        tested = {
            f"hipaa:{control.id}"
            for control in fleet.frameworks["hipaa"].controls
            if control.evidence == "tested"
        }
        assert tested <= covered


def test_every_check_of_the_catalogue_is_used_by_a_rule_or_asked_by_a_runbook(fleet):
    used = {rule.check for rule in fleet.rules.values()}
    asked = {
        condition.check
        for runbook in fleet.runbooks.values()
        for condition in (*runbook.precheck, *runbook.also_verify)
    }
    assert used | asked == set(checks.load())


def test_the_workstation_is_only_looked_at(fleet):
    desired = state(fleet, "workstation")
    assert len(desired.rules) >= 30
    assert not any(rule.enforce for rule in desired.rules)


def test_the_appliance_is_healed_where_a_runbook_may(fleet):
    desired = state(fleet, "appliance")
    enforced = [rule for rule in desired.rules if rule.enforce]
    assert enforced
    healed = {healing.match.check for healing in desired.healing}
    answered = {rule.rule for rule in enforced if fleet.rules[rule.rule].remedy}
    left = {rule.rule for rule in enforced if rule.check not in healed} - answered
    # What no activation takes away and no runbook may: such a finding is escalated to a person.
    assert left == {"nixos-drop-ins"}
    for rule in desired.rules:
        if rule.remedy:
            assert "nixos" in desired.runbooks[rule.remedy.runbook].runbook.platforms


def test_every_runbook_that_a_remedy_names_is_approved(fleet):
    for host in ("workstation", "appliance"):
        pinned = state(fleet, host).runbooks
        assert [name for name, runbook in pinned.items() if not runbook.approved] == []


def test_examples_are_fictional(fleet):
    for path, data in read_directory(ROOT).items():
        if path.startswith("hosts/"):
            text = data.decode()
            for line in text.splitlines():
                assert "@" not in line or "example.org" in line or "@192.0.2." in line
