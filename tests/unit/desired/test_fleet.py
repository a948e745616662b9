import hashlib

import pytest

from reconciler.desired import fleet as fleet_module
from reconciler.desired.fleet import read_fleet
from reconciler.errors import InputError, Where
from tests.support.policy import base_files


def test_every_document_of_a_fleet_is_found():
    fleet = read_fleet(base_files())
    assert fleet.problems == ()
    assert set(fleet.clients) == {"clinic"}
    assert set(fleet.hosts) == {"clinic/desk"}
    assert set(fleet.rules) == {"root-login", "idle", "unit-runs"}
    assert set(fleet.exceptions) == {"clinic/long-idle"}
    assert set(fleet.runbooks) == {"RB-UNIT-001"}
    assert fleet.approved is not None
    assert fleet.kill_switch is None
    assert set(fleet.hosts_of("clinic")) == {"desk"}
    assert fleet.hosts_of("clin") == {}


def test_each_file_has_a_digest_and_a_place():
    files = base_files()
    fleet = read_fleet(files)
    path = "policies/rules/idle.yaml"
    assert fleet.digests[path] == hashlib.sha256(files[path]).hexdigest()
    assert fleet.where("rule", "idle", "severity") == Where(path, 8, "severity")
    assert fleet.where("rule", "gone", "severity") == Where("policies/rules/gone.yaml")


def test_a_broken_file_is_a_problem_and_the_others_are_read():
    files = {**base_files(), "policies/rules/idle.yaml": b"\tx"}
    fleet = read_fleet(files)
    assert [str(problem) for problem in fleet.problems] == [
        "policies/rules/idle.yaml:1: holds a tab"
    ]
    assert set(fleet.rules) == {"root-login", "unit-runs"}
    assert fleet.has("rule", "idle")
    assert not fleet.has("rule", "gone")


def test_a_kill_switch_is_read():
    files = {**base_files(), "policies/kill-switch.yaml": b"engaged: true\nreason: Stop.\n"}
    fleet = read_fleet(files)
    assert fleet.kill_switch is not None
    assert fleet.kill_switch.engaged


def test_controls_are_known_by_framework_and_id():
    assert read_fleet(base_files()).controls()["law:1(a)(2)(iii)"].requirement == "addressable"


def test_notes_and_code_beside_policies_are_not_read():
    files = {**base_files(), "policies/README.md": b"\xff", "hosts/clinic/desk.nix": b"\xff"}
    assert read_fleet(files).problems == ()


def test_an_empty_fleet_is_read_and_holds_nothing():
    assert read_fleet({}).hosts == {}


@pytest.mark.parametrize(("name", "limit"), [("MAX_FILES", 3), ("MAX_TOTAL_BYTES", 100)])
def test_the_size_of_a_fleet_is_limited(monkeypatch, name, limit):
    monkeypatch.setattr(fleet_module, name, limit)
    with pytest.raises(InputError, match="the fleet has more than"):
        read_fleet(base_files())
