from pathlib import Path

import pytest

from reconciler.desired.fleet import read_fleet
from reconciler.desired.graph.context import Graph
from reconciler.desired.graph.exceptions import binding_controls, exception_problems
from reconciler.model.rule import Rule
from tests.support.policy import CHECKS, STEPS, base_files

HIPAA = Path(__file__).parents[4] / "policies" / "frameworks" / "hipaa.yaml"


def hipaa():
    fleet = read_fleet({"policies/frameworks/hipaa.yaml": HIPAA.read_bytes()})
    return Graph(fleet, CHECKS, STEPS, fleet.controls())


def serving(*controls):
    return Rule.model_validate(
        {
            "id": "a",
            "title": "A",
            "check": "TST-SSH-001",
            "expect": {"tries": 1},
            "severity": "low",
            "controls": tuple(f"hipaa:{control}" for control in controls),
            "mode": "observe",
        }
    )


@pytest.mark.parametrize(
    "control",
    [
        "164.308(a)(1)(ii)(A)",
        "164.308(a)(7)(ii)(A)",
        "164.312(a)(2)(i)",
        "164.308(a)(2)",
        "164.308(a)(8)",
        "164.310(b)",
        "164.310(c)",
        "164.312(b)",
        "164.312(d)",
        "164.316(a)",
    ],
)
def test_required_specifications_and_standards_that_stand_alone_bind(control):
    assert binding_controls(hipaa(), serving(control)) == [f"hipaa:{control}"]


@pytest.mark.parametrize(
    "control",
    [
        "164.308(a)(1)(i)",
        "164.308(a)(5)(i)",
        "164.308(b)(1)",
        "164.310(a)(1)",
        "164.310(d)(1)",
        "164.312(a)(1)",
        "164.312(c)(1)",
        "164.312(e)(1)",
        "164.314(a)(1)",
        "164.316(b)(1)",
        "164.312(a)(2)(iii)",
        "164.312(e)(2)(ii)",
    ],
)
def test_addressable_specifications_and_standards_met_through_specifications_do_not(control):
    assert binding_controls(hipaa(), serving(control)) == []


def test_standards_that_stand_alone_are_the_seven_without_specifications():
    graph = hipaa()
    alone = [
        name
        for name, control in graph.controls.items()
        if control.kind == "standard" and binding_controls(graph, serving(control.id))
    ]
    assert alone == [
        "hipaa:164.308(a)(2)",
        "hipaa:164.308(a)(8)",
        "hipaa:164.310(b)",
        "hipaa:164.310(c)",
        "hipaa:164.312(b)",
        "hipaa:164.312(d)",
        "hipaa:164.316(a)",
    ]


@pytest.mark.parametrize(
    ("decided", "review", "fine"),
    [
        ("2026-01-31", "2027-01-31", True),
        ("2026-01-31", "2027-02-01", False),
        ("2028-02-29", "2029-03-01", True),
        ("2028-02-29", "2029-03-02", False),
        ("2026-01-31", "2026-01-31", False),
        ("2026-01-31", "2025-01-31", False),
    ],
)
def test_a_review_comes_within_a_year(decided, review, fine):
    files = base_files()
    path = "policies/exceptions/clinic/long-idle.yaml"
    files[path] = (
        files[path].replace(b"2027-01-31", review.encode()).replace(b"2026-01-31", decided.encode())
        if decided != review
        else files[path].replace(b"2027-01-31", review.encode())
    )
    fleet = read_fleet(files)
    found = list(exception_problems(Graph(fleet, CHECKS, STEPS, fleet.controls())))
    assert (found == []) is fine
