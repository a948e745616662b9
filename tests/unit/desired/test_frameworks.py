"""The frameworks that ship, against the facts they were made from, and what they may excuse."""

import csv
from pathlib import Path

import pytest
import yaml

from reconciler.checks import catalogue as checks
from reconciler.desired.directory import read_directory
from reconciler.desired.fleet import read_fleet
from reconciler.desired.graph import check_fleet
from reconciler.desired.resolve import resolve
from reconciler.model.proposed import is_proposed
from reconciler.steps import catalogue as steps

ROOT = Path(__file__).parents[3]
FACTS = ROOT / "tests" / "vectors" / "frameworks"
CROSSED = ("nist-800-53r5", "soc2", "pci-dss-4.0.1")
PROPOSED = "hipaa-nprm-2025-proposed"
CLIENT = "hosts/example-clinic/client.yaml"
EXCEPTION = "policies/exceptions/example-clinic/anti-malware-on-appliance.yaml"

# Rules that look at a part of their check that shows less than the whole.
PARTS = {"backup-elsewhere"}


def rows(name):
    with (FACTS / name).open(newline="") as file:
        return list(csv.DictReader(file))


def crosswalk():
    """Controls of each check, corrected."""
    found = {
        row["check_id"]: {
            f"{framework}:{control}"
            for framework in CROSSED
            for control in row[framework].split(";")
            if control
        }
        for row in rows("crosswalk.csv")
    }
    for row in rows("corrections.csv"):
        controls = found[row["check_id"]]
        if row["change"] == "drop":
            controls.remove(row["control"])
        else:
            assert row["control"] not in controls
            controls.add(row["control"])
    return found


@pytest.fixture(scope="module")
def files():
    return read_directory(ROOT)


@pytest.fixture(scope="module")
def fleet(files):
    return read_fleet(files)


def ids(fleet, framework):
    return [control.id for control in fleet.frameworks[framework].controls]


@pytest.mark.parametrize("framework", CROSSED)
def test_a_framework_holds_what_the_crosswalk_names_and_nothing_else(fleet, framework):
    named = {
        control for row in rows("crosswalk.csv") for control in row[framework].split(";") if control
    }
    assert set(ids(fleet, framework)) == named
    assert len(ids(fleet, framework)) == len(named)


def test_rules_serve_what_the_crosswalk_gives_for_their_check_as_corrected(fleet):
    facts = crosswalk()
    seen = set()
    for rule in fleet.rules.values():
        served = {c for c in rule.controls if c.split(":", 1)[0] in CROSSED}
        if rule.check not in facts:
            continue
        seen.add(rule.check)
        if rule.id in PARTS:
            assert served < facts[rule.check], rule.id
        else:
            assert served == facts[rule.check], rule.id
    assert seen == set(checks.load()) & facts.keys()


def test_every_correction_says_why_and_is_about_a_check_that_exists():
    for row in rows("corrections.csv"):
        assert row["check_id"] in checks.load()
        assert row["change"] in {"drop", "add"}
        assert len(row["why"]) > 20


@pytest.mark.parametrize("framework", [*CROSSED, PROPOSED])
def test_what_no_rule_speaks_about_is_attested_and_what_one_does_is_not(fleet, framework):
    served = {control for rule in fleet.rules.values() for control in rule.controls}
    for control in fleet.frameworks[framework].controls:
        spoken_of = f"{framework}:{control.id}" in served
        assert (control.evidence == "attested") == (not spoken_of), control.id
        assert spoken_of or "No check of this version" in (control.note or "")


@pytest.mark.parametrize("framework", ["soc2", "pci-dss-4.0.1", PROPOSED])
def test_where_people_decide_scope_or_design_nothing_is_tested_by_software_alone(fleet, framework):
    assert {c.evidence for c in fleet.frameworks[framework].controls} <= {"supported", "attested"}


@pytest.mark.parametrize("framework", CROSSED)
def test_what_may_be_tailored_or_compensated_says_so(fleet, framework):
    assert {c.requirement for c in fleet.frameworks[framework].controls} == {"compensable"}


def test_the_proposed_rule_is_as_far_as_is_known_and_says_what_it_is(fleet):
    framework = fleet.frameworks[PROPOSED]
    facts = {row["id"]: row for row in rows("nprm-2025.csv")}
    assert framework.status == "proposed"
    assert [f for f in fleet.frameworks if is_proposed(f)] == [PROPOSED]
    assert set(ids(fleet, PROPOSED)) == facts.keys()
    for control in framework.controls:
        fact = facts[control.id]
        assert (control.kind, control.safeguard) == (fact["kind"], fact["safeguard"])
        assert ("unverified" in fact["proposal"]) == ("not verified" in (control.note or ""))


def test_provisions_of_the_proposed_rule_are_provisions_of_today(fleet):
    assert set(ids(fleet, PROPOSED)) <= set(ids(fleet, "hipaa"))


def subscribed(files, frameworks, more=""):
    old = b"frameworks: [hipaa]\n"
    assert old in files[CLIENT]
    new = f"frameworks: [{', '.join(frameworks)}]\n{more}".encode()
    return {**files, CLIENT: files[CLIENT].replace(old, new)}


def appliance(files):
    return resolve(
        read_fleet(files),
        "example-clinic",
        "appliance",
        commit="0" * 40,
        tree="0" * 40,
        checks=checks.load(),
    )


def problems(files):
    return check_fleet(read_fleet(files), checks.load(), steps.load())


def test_only_the_client_s_frameworks_show(files):
    shown = {c.split(":")[0] for rule in appliance(files).rules for c in rule.controls}
    assert shown == {"hipaa"}
    both = subscribed(files, ["hipaa", "soc2"])
    shown = {c.split(":")[0] for rule in appliance(both).rules for c in rule.controls}
    assert shown == {"hipaa", "soc2"}
    assert {name.split(":")[0] for name in appliance(both).controls} == {"hipaa", "soc2"}


@pytest.mark.parametrize("framework", CROSSED)
def test_a_client_may_name_another_framework_alone(files, framework):
    alone = subscribed(files, [framework])
    del alone[EXCEPTION]
    assert [str(p) for p in problems(alone) if p.severity == "error"] == []
    assert any(rule.controls for rule in appliance(alone).rules)


def test_an_exception_under_a_framework_that_is_not_the_client_s_is_refused(files):
    said = [str(p) for p in problems(subscribed(files, ["soc2"])) if p.severity == "error"]
    assert len(said) == 1
    assert "client example-clinic does not name hipaa" in said[0]


def test_a_proposed_rule_is_named_with_a_warning_unless_the_client_knows(files):
    warned = [
        str(p) for p in problems(subscribed(files, ["hipaa", PROPOSED])) if PROPOSED in str(p)
    ]
    assert len(warned) == 1
    assert "is proposed and no law" in warned[0]
    known = subscribed(files, ["hipaa", PROPOSED], "accept_proposed: true\n")
    assert [str(p) for p in problems(known) if PROPOSED in str(p)] == []


def test_a_proposed_rule_takes_no_exception_away_and_gives_none(files):
    known = subscribed(files, ["hipaa", PROPOSED], "accept_proposed: true\n")
    assert [str(p) for p in problems(known) if p.severity == "error"] == []
    moved = files[EXCEPTION].replace(b"control: hipaa:", f"control: {PROPOSED}:".encode())
    said = [str(p) for p in problems({**known, EXCEPTION: moved}) if p.severity == "error"]
    assert any("cannot be excepted" in line or "obliges to nothing" in line for line in said)


def test_a_standard_beside_the_law_excuses_no_provision_of_the_law(files):
    both = subscribed(files, ["hipaa", "nist-800-53r5"])
    moved = files[EXCEPTION].replace(b"hipaa:164.308(a)(5)(ii)(B)", b"nist-800-53r5:SI-3")
    said = [str(p) for p in problems({**both, EXCEPTION: moved}) if p.severity == "error"]
    assert said == [
        f"{EXCEPTION}:4: rules[0]: rule anti-malware also serves hipaa:164.308(a)(5)(ii)(B), "
        "which is addressable"
    ]
    alone = subscribed(files, ["nist-800-53r5"])
    assert [p for p in problems({**alone, EXCEPTION: moved}) if p.severity == "error"] == []


def test_titles_are_short_and_none_is_given_twice(fleet):
    for framework in (*CROSSED, PROPOSED):
        titles = [control.title for control in fleet.frameworks[framework].controls]
        assert len(set(titles)) == len(titles)
        assert all(len(title) <= 100 for title in titles)


def test_a_framework_is_proposed_exactly_when_its_id_says_so(files):
    text = files[f"policies/frameworks/{PROPOSED}.yaml"]
    silent = {f"policies/frameworks/{PROPOSED}.yaml": text.replace(b"status: proposed\n", b"")}
    assert "ends in -proposed" in read_fleet(silent).problems[0].message
    named = text.replace(f"id: {PROPOSED}".encode(), b"id: hipaa-nprm-2025")
    loud = {"policies/frameworks/hipaa-nprm-2025.yaml": named}
    assert "ends in -proposed" in read_fleet(loud).problems[0].message


def test_facts_are_read_as_they_are_written():
    """The house writes YAML for people; ids such as 8.2 must stay text."""
    for framework in (*CROSSED, PROPOSED):
        page = yaml.safe_load((ROOT / f"policies/frameworks/{framework}.yaml").read_text())
        assert all(isinstance(control["id"], str) for control in page["controls"])
