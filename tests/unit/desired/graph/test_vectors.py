"""Every bad policy of the vectors: all that is said about it, and nothing else."""

import pytest

from reconciler.desired.fleet import read_fleet
from reconciler.desired.graph import check_fleet
from tests.support.policy import CHECKS, STEPS, VECTORS, base_files, overlaid

CASES = sorted(path.name for path in VECTORS.iterdir() if path.is_dir() and path.name != "base")


def said(files):
    problems = check_fleet(read_fleet(files), CHECKS, STEPS)
    return [f"{problem.severity} {problem} | {problem.hint}" for problem in problems]


def test_nothing_is_said_about_a_fleet_with_nothing_wrong():
    assert said(base_files()) == []


@pytest.mark.parametrize("case", CASES)
def test_a_bad_policy_is_reported_in_these_words(case):
    expected = (VECTORS / case / "expected.txt").read_text().splitlines()
    assert expected
    assert said(overlaid(VECTORS / case)) == expected


@pytest.mark.parametrize("case", CASES)
def test_every_case_says_why_it_matters(case):
    assert (VECTORS / case / "README").read_text().strip()
