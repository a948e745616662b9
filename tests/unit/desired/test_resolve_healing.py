"""Healing rules of one host: those that can match there, their runbooks, and the digests."""

import pytest

from reconciler.desired.fleet import read_fleet
from reconciler.desired.resolve import resolve
from reconciler.model.desired import DesiredState
from tests.support.policy import CHECKS, approved, base_files

RUNBOOK = "runbooks/RB-UNIT-001.yaml"
OTHER = "runbooks/RB-UNIT-002.yaml"
HEALING = "policies/healing/{}.yaml"
DESK = "hosts/clinic/desk.yaml"
RULE = """\
id: {name}
title: A rule
match:
  check: {check}
{more}runbook: RB-UNIT-002
params:
  unit: nginx.service
"""


def files(*more: str, check: str = "TST-UNIT-001", host: str = "") -> dict[str, bytes]:
    """The small fleet with a second runbook and a healing rule for each set of conditions."""
    found = base_files()
    del found["runbooks/approved.yaml"]
    found[OTHER] = found[RUNBOOK].replace(b"RB-UNIT-001", b"RB-UNIT-002")
    found[DESK] += host.encode()
    for number, conditions in enumerate(more):
        name = f"r{number}"
        text = RULE.format(name=name, check=check, more=conditions)
        found[HEALING.format(name)] = text.encode()
    return approved(found)


def state(found: dict[str, bytes]) -> DesiredState:
    fleet = read_fleet(found)
    return resolve(fleet, "clinic", "desk", commit="c" * 40, tree="7" * 40, checks=CHECKS)


def test_a_rule_that_can_match_is_there_with_its_runbook_pinned() -> None:
    desired = state(files(""))
    assert [each.id for each in desired.healing] == ["r0"]
    assert desired.runbooks["RB-UNIT-002"].approved


@pytest.mark.parametrize(
    ("conditions", "host"),
    [
        ("  severity: [medium]\n", ""),
        ("  rules: [unit-runs]\n", ""),
        ("  roles: [other, server]\n", "roles: [server]\n"),
        ("  tags: [old]\n", "tags: [old, new]\n"),
        ("  where: {param.unit: chrony.service}\n", ""),
        ("  where: {observed.active: true}\n", ""),
    ],
)
def test_conditions_that_hold_here_or_are_known_only_later(conditions: str, host: str) -> None:
    assert [each.id for each in state(files(conditions, host=host)).healing] == ["r0"]


@pytest.mark.parametrize(
    ("conditions", "host"),
    [
        ("  severity: [high]\n", ""),
        ("  rules: [idle]\n", ""),
        ("  roles: [server]\n", "roles: [desk]\n"),
        ("  tags: [old, new]\n", "tags: [old]\n"),
        ("  where: {param.unit: cups.service}\n", ""),
        ("enabled: false\n", ""),
    ],
)
def test_what_cannot_match_here_is_left_out_and_so_is_its_runbook(
    conditions: str, host: str
) -> None:
    desired = state(files(conditions, host=host))
    assert desired.healing == ()
    assert "RB-UNIT-002" not in desired.runbooks


def test_a_check_that_the_host_is_not_held_to_and_a_runbook_for_another_platform() -> None:
    assert state(files("", check="TST-OTHER-001")).healing == ()
    found = files("")
    found[OTHER] = found[OTHER].replace(b"[linux]", b"[nixos]")
    assert state(approved(found | {"runbooks/approved.yaml": b"runbooks: {}\n"})).healing == ()


def test_a_runbook_that_is_not_there_is_no_answer() -> None:
    found = files("")
    del found[OTHER]
    assert state(found).healing == ()


def test_the_file_of_a_rule_counts_only_where_it_can_match() -> None:
    plain = state(files("", "  severity: [high]\n"))
    touched = files("", "  severity: [high]\n")
    touched[HEALING.format("r1")] += b"# touched\n"
    assert state(touched).digest == plain.digest
    touched[HEALING.format("r0")] += b"# touched\n"
    assert state(touched).digest != plain.digest
    assert state(touched).plan_digest == plain.plan_digest


def test_guards_count_in_both_digests_and_what_acknowledges_in_none() -> None:
    plain = state(files(""))
    numbers = {"policies/guards.yaml": b"soak_s: 7200\n"}
    assert state(files("") | numbers).plan_digest != plain.plan_digest
    seen = f"id: seen\nincident: {'a' * 64}\nby: a@clinic.example\nuntil: 2026-01-31\n"
    acknowledged = state(files("") | {"acknowledgements/clinic/seen.yaml": seen.encode()})
    assert len(acknowledged.acknowledgements) == 1
    assert (acknowledged.plan_digest, acknowledged.digest) == (plain.plan_digest, plain.digest)
