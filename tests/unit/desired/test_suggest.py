import time

from reconciler.desired.suggest import did_you_mean, field_names, nearest
from reconciler.model.host import Host
from reconciler.model.rule import Rule
from reconciler.model.runbook import Runbook


def test_the_nearest_name_is_proposed():
    assert nearest("severty", ["severity", "title"]) == "severity"
    assert did_you_mean("severty", ["severity", "title"]) == "Did you mean severity?"


def test_without_a_near_name_the_known_ones_are_shown_in_order():
    assert did_you_mean("zzz", ["beta", "alpha"]) == "Known: alpha, beta."
    assert did_you_mean("zzz", []) == "There are none."


def test_a_long_list_is_cut():
    hint = did_you_mean("zzz", [f"name-{number:02}" for number in range(20)])
    assert hint.endswith("name-11 and 8 more.")


def test_a_hostile_name_costs_little():
    started = time.perf_counter()
    did_you_mean("a" * 200_000, [f"name-{number}" for number in range(1000)])
    assert time.perf_counter() - started < 1


def test_fields_are_named_at_every_depth():
    assert "for_each" in field_names(Rule, [])
    assert field_names(Rule, ["remedy"]) == ["params", "runbook"]
    assert field_names(Rule, ["params", "any"]) == ["ref"]
    assert field_names(Host, ["declares", "units", 0]) == ["name", "unit"]
    assert "minimum" in field_names(Runbook, ["parameters", "unit"])


def test_a_field_is_named_as_it_is_written():
    assert field_names(Runbook, ["steps", 0]) == ["id", "use", "with"]


def test_a_place_without_fields_has_none():
    assert field_names(Rule, ["title", "x"]) == []
    assert field_names(Rule, ["nothing"]) == []
    assert field_names(Rule, ["controls", "x"]) == []
