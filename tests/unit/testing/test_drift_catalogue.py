"""The catalogue of drift: complete, of one graph with rules and runbooks, and open to fleets."""

import re
from pathlib import Path

import pytest

from reconciler.checks import catalogue as checks
from reconciler.errors import InputError
from reconciler.testing.drifts import catalogue
from reconciler.testing.rehearsal import coverage
from reconciler.testing.rehearsal.rehearse import jobs_of, shipped
from reconciler.testing.rehearsal.trial import Trial
from tests.support.own_drift import DRIFT as OWN

ROOT = Path(__file__).parents[3]
DRIFTS = catalogue.load()
FLEET = shipped()
RULES = FLEET.baselines[coverage.BASELINE].rules

# Why, is in `reconciler.testing.rehearsal.coverage`: a container shares its kernel with its host.
NOT_IN_A_CONTAINER = {"RB-AUDIT-001", "RB-CPU-001", "RB-MEM-001"}
# Counts the failures of an hour, so no rehearsal can see it help.
NOT_IN_AN_HOUR = {"RB-LOGIN-001"}


def test_every_runbook_that_may_run_has_a_drift_that_it_heals() -> None:
    healing = {runbook for drift in DRIFTS.values() for runbook in drift.heals}
    able = {r.id for r in FLEET.runbooks.values() if r.mode != "never" and "linux" in r.platforms}
    assert able - healing == NOT_IN_A_CONTAINER | NOT_IN_AN_HOUR


@pytest.mark.parametrize("drift", DRIFTS.values(), ids=lambda d: d.id)
def test_a_drift_trips_rules_of_the_baseline_in_fields_they_judge(drift) -> None:
    for bound, fields in drift.found.items():
        rule = FLEET.rules[bound.partition("[")[0]]
        assert rule.id in RULES
        assert (rule.for_each is not None) == ("[" in bound)
        assert set(fields) <= set(rule.expect) <= set(checks.load()[rule.check].fields)
    remedies = {
        r.remedy.runbook for name in coverage.tripped(drift) if (r := FLEET.rules[name]).remedy
    }
    assert set(drift.heals) <= remedies


def test_the_committed_page_is_of_this_catalogue() -> None:
    """Written by a rehearsal; only what a clock says may differ from what is written now."""
    text = (ROOT / "docs" / "coverage.md").read_text()
    trials = [
        Trial(drift.id, "honest" if drift.heals else "people", drift.heals, ())
        for drift in sorted(DRIFTS.values(), key=lambda d: not d.heals)
    ]
    now = coverage.page(FLEET, DRIFTS, trials)
    assert _timeless(text) == _timeless(now)
    headline = re.search(r"\*\*(\d+) of (\d+) injected drifts were healed at L1", text)
    assert headline is not None
    assert headline.groups() == (str(sum(bool(t.runbooks) for t in trials)), str(len(trials)))
    unattended = re.search(r"(\d+) of (\d+) unattended, (\d+) of (\d+) after", text)
    assert unattended is not None
    assert unattended[1] == unattended[2]
    assert unattended[3] == unattended[4]
    faults = re.search(r"a crash, (\d+) of (\d+) trials", text)
    assert faults is not None
    assert faults[1] == faults[2]


def _timeless(text: str) -> list[str]:
    lines = [
        re.sub(r"\| (\d+( s)?)? \|$", "|", re.sub(r" \d+ s \| ", "  | ", line))
        for line in text.splitlines()
    ]
    return [line for line in lines if not line.startswith(("From drift", "With a fix"))]


def test_a_trial_that_did_not_hold_is_no_heal() -> None:
    trials = [
        Trial("service-stopped", "honest", ("RB-SERVICE-001",), ("not healed",)),
        Trial("firewall-flushed", "honest", ("RB-FW-001",), (), 9),
        Trial("stray-listener", "people", (), ()),
    ]
    rows = {row.control.id: row for row in coverage.rows(FLEET, DRIFTS, trials)}
    access = rows["164.312(a)(1)"]
    assert access.drifts == ("firewall-flushed", "stray-listener")
    assert (access.found, access.healed, access.slowest_s) == (2, 1, 9)
    assert "sockets-declared" in access.people
    assert "firewall" not in access.people
    running = rows["164.308(a)(1)(ii)(D)"]
    assert (running.drifts, running.found, running.healed) == (("service-stopped",), 0, 0)
    text = coverage.page(FLEET, DRIFTS, trials)
    assert "**1 of 3 injected drifts were healed at L1 (33 %)**" in text
    assert "1 of 2 unattended" in text
    assert rows["164.308(a)(2)"].rules == ()
    assert "- 164.308(a)(2): " in text


def own(fleet: Path, text: str, name: str = "RB-ACME-001") -> None:
    (fleet / "rehearsals").mkdir(exist_ok=True)
    (fleet / "rehearsals" / f"{name}.yaml").write_text(text)


def test_a_fleet_rehearses_its_own(tmp_path: Path) -> None:
    own(tmp_path, OWN)
    work = jobs_of("RB-ACME-001", tmp_path)
    assert [job.mode for job in work] == ["honest", "lie", "drop", "crash"]
    assert {job.subject.fleet for job in work} == {tmp_path}


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("RB-OTHER-001", OWN, "the file of RB-ACME-001 has another name"),
        ("RB-ACME-001", OWN.replace("heals: [RB-ACME-001]", "heals: [RB-X-001]"), "not among"),
        ("RB-ACME-001", OWN.replace("heals: [RB-ACME-001]", "title: x"), "title"),
        ("RB-ACME-001", OWN.replace("    heals: [RB-ACME-001]\n", ""), "no runbook heals"),
        ("RB-ACME-001", OWN + OWN[OWN.index("  - id") :], "two drifts have one id"),
        (
            "RB-ACME-001",
            OWN.replace("inactive", "{nearly: inactive}"),
            "'nearly' is not one of equals",
        ),
        ("RB-ACME-001", OWN + "extra: 1\n", "extra"),
    ],
)
def test_a_file_that_is_no_rehearsal_is_refused(
    tmp_path: Path, name: str, text: str, said: str
) -> None:
    own(tmp_path, text, name)
    with pytest.raises(InputError, match=said):
        jobs_of(None, tmp_path)


def test_what_cannot_be_rehearsed_says_why() -> None:
    for runbook, said in (
        ("RB-NONE-001", "there is no runbook RB-NONE-001"),
        ("RB-CRYPT-001", "is a procedure for people"),
        ("RB-CPU-001", "no drift is known that RB-CPU-001 heals"),
    ):
        with pytest.raises(InputError, match=said):
            jobs_of(runbook, None)
