"""Tiers switch healing. They switch nothing else that exists: no look, no record, no retention."""

import ast
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

import reconciler
from reconciler.checks import catalogue as checks
from reconciler.desired.directory import read_directory
from reconciler.desired.fleet import read_fleet
from reconciler.desired.graph.tiers import needed
from reconciler.desired.resolve import resolve
from reconciler.model.tier import AVAILABLE, OF_KIND, Feature, Tier

ROOT = Path(__file__).parents[3]
HOUSE = Path(reconciler.__file__).parent
CLIENT = "hosts/example-clinic/client.yaml"
TIERS = ("essential", "professional", "enterprise")


@pytest.fixture(scope="module")
def files():
    return read_directory(ROOT)


def state(files, tier):
    assert b"tier: professional" in files[CLIENT]
    moved = {
        **files,
        CLIENT: files[CLIENT].replace(b"tier: professional", f"tier: {tier}".encode()),
    }
    return resolve(
        read_fleet(moved),
        "example-clinic",
        "appliance",
        commit="0" * 40,
        tree="0" * 40,
        checks=checks.load(),
    )


def test_the_tiers_that_ship_list_only_what_there_is(files):
    fleet = read_fleet(files)
    assert set(fleet.tiers) == set(TIERS)
    assert all(set(tier.features) <= AVAILABLE for tier in fleet.tiers.values())


def test_without_heal_nothing_is_enforced_and_with_it_what_people_enforce(files):
    assert not any(rule.enforce for rule in state(files, "essential").rules)
    assert any(rule.enforce for rule in state(files, "professional").rules)


@pytest.mark.parametrize("tier", TIERS)
def test_every_tier_looks_at_the_same_and_judges_it_by_the_same(files, tier):
    """What is observed and recorded is the client's in every tier (45 CFR 164.316(b)(2)(i))."""
    full, other = state(files, "enterprise"), state(files, tier)
    assert [replace(r, enforce=False) for r in other.rules] == [
        replace(r, enforce=False) for r in full.rules
    ]
    assert (other.controls, other.exceptions) == (full.controls, full.exceptions)
    assert "observe" in other.features


def test_a_tier_has_no_field_that_could_say_how_long_or_whose(files):
    assert set(Tier.model_fields) == {"id", "title", "features"}
    assert not {f for f in get_args(Feature) if "retain" in f or "retention" in f or "keep" in f}


def names_of(file):
    tree = ast.parse(file.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield node.module or ""
        elif isinstance(node, ast.Attribute):
            yield f".{node.attr}"


def test_only_what_decides_about_changing_a_machine_reads_features():
    """Neither the ledger nor a report nor upkeep can ask for the tier: they never see it."""
    readers = {
        file.relative_to(HOUSE).as_posix()
        for file in HOUSE.rglob("*.py")
        if {".features", "reconciler.model.tier"} & set(names_of(file))
    }
    assert readers <= {
        "desired/binding.py",
        "desired/fleet.py",
        "desired/gate/approving.py",
        "desired/graph/tiers.py",
        "desired/layout.py",
        "desired/resolve.py",
        "engine/advice/advising.py",
        "engine/doctor/advice.py",
        "engine/inquiry/explain.py",
        "engine/run.py",
        "guard/tier.py",
        "model/desired.py",
        "plan/change.py",
        "plan/host_plan.py",
    }
    assert "guard/tier.py" in readers


@pytest.mark.parametrize(
    ("kinds", "enforce", "expected"),
    [
        ([], False, {"observe"}),
        (["linux", "nixos"], False, {"observe"}),
        (["linux"], True, {"observe", "heal"}),
        (["windows", "linux"], False, {"observe", "windows"}),
        (["network", "saas"], True, {"observe", "heal", "network", "saas"}),
    ],
)
def test_what_hosts_need(kinds, enforce, expected):
    assert needed(kinds, enforce=enforce) == expected


def test_features_of_kinds_are_features():
    assert set(OF_KIND.values()) <= set(get_args(Feature))
    assert set(get_args(Feature)) >= AVAILABLE
