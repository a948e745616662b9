import time

from reconciler.desired.fleet import read_fleet
from reconciler.desired.graph import check_fleet
from reconciler.desired.graph.runbooks import safe_runbooks
from tests.support.policy import CHECKS, STEPS, base_files


def test_a_hostile_pattern_is_found_without_being_tried():
    files = base_files()
    path = "runbooks/RB-UNIT-001.yaml"
    files[path] = files[path].replace(rb"'[a-z]+\.service'", b"'([a-z]+)+!'")
    rule = "policies/rules/unit-runs.yaml"
    files[rule] = files[rule].replace(
        b"runbook: RB-UNIT-001\n  params:\n    unit: {ref: item.unit}",
        b"runbook: RB-UNIT-001\n  params:\n    unit: " + b"a" * 60,
    )
    fleet = read_fleet(files)
    assert safe_runbooks(fleet.runbooks) == {}
    started = time.perf_counter()
    messages = [problem.message for problem in check_fleet(fleet, CHECKS, STEPS)]
    assert time.perf_counter() - started < 2
    assert "the pattern repeats something that can itself vary in length" in messages
