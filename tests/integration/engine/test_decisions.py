"""What people decided, all the way into evidence: approvals, tiers, risks, proposed law."""

import hashlib
from datetime import date, timedelta

import pytest

from reconciler import load_settings
from reconciler.checks import catalogue as checks
from reconciler.desired.approve import pin_runbooks
from reconciler.desired.directory import read_directory
from reconciler.desired.fleet import read_fleet
from reconciler.desired.resolve import resolve
from reconciler.engine.doctor.policy import diagnose_policy
from reconciler.engine.inquiry.explain import explain
from reconciler.errors import ExitCode
from reconciler.model.run import RunReport
from tests.support.drill import CLIENT, CLIENT_FILE, HOST, SYSCTL, Drill, break_sysctl, statuses

pytestmark = pytest.mark.integration

RUNBOOK = "runbooks/RB-SYSCTL-001.yaml"
COOKIES = "net.ipv4.tcp_syncookies"


def today(drill: Drill) -> date:
    return drill.clock.at.date()


def write(drill: Drill, path: str, text: str) -> None:
    file = drill.site.fleet / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    drill.site.commit(f"Decide {path}", at=drill.clock.at)


def needs_a_person(drill: Drill) -> None:
    """The runbook of the kernel parameter waits for an approval."""
    fleet = drill.site.fleet
    text = (fleet / RUNBOOK).read_text()
    assert "mode: auto" in text
    (fleet / RUNBOOK).write_text(text.replace("mode: auto", "mode: approve"))
    pin_runbooks(fleet)
    drill.site.commit("Ask a person first", at=drill.clock.at)


def plan_of(drill: Drill) -> str:
    """The digest that anybody computes from a work tree."""
    files = read_directory(drill.site.fleet)
    nothing = "0" * 40
    state = resolve(
        read_fleet(files), CLIENT, HOST, commit=nothing, tree=nothing, checks=checks.load()
    )
    return state.plan_digest


def approval(drill: Drill, *, days: int = 7, plan: str | None = None) -> str:
    runbook = hashlib.sha256((drill.site.fleet / RUNBOOK).read_bytes()).hexdigest()
    return (
        f"id: cookies\napprover: engineer@msp.example\n"
        f"hosts: {{{HOST}: 'sha256:{plan or plan_of(drill)}'}}\n"
        f"runbooks: {{RB-SYSCTL-001: 'sha256:{runbook}'}}\n"
        f"reason: The parameter was changed by hand.\n"
        f"issued_on: {today(drill)}\nexpires: {today(drill) + timedelta(days=days)}\n"
    )


def left(report: RunReport) -> str:
    (one,) = report.not_done
    assert (one.result, one.verdict.guard) == ("denied", "approval")
    return one.verdict.reason


def test_an_approval_lets_one_plan_run_and_evidence_names_it(drill: Drill) -> None:
    needs_a_person(drill)
    break_sysctl(drill.machine)

    before = drill.run()
    assert left(before).startswith("needs a person: approvals/example-clinic/<id>.yaml")
    assert f"sha256:{plan_of(drill)}" in left(before), "CI and appliance name the same digest"
    assert drill.machine.sysctls[COOKIES] == "0"

    write(drill, f"approvals/{CLIENT}/cookies.yaml", approval(drill))
    report = drill.run()

    assert [outcome.result for outcome in report.outcomes] == ["healed"]
    assert drill.machine.sysctls[COOKIES] == "1"
    (intent,) = drill.bodies("intent")
    said = next(v["reason"] for v in intent["verdicts"] if v["guard"] == "approval")
    file = (drill.site.fleet / f"approvals/{CLIENT}/cookies.yaml").read_bytes()
    assert said == (
        f"approval cookies of engineer@msp.example, until {today(drill) + timedelta(days=7)} "
        f"(sha256:{hashlib.sha256(file).hexdigest()})"
    )
    assert drill.verify().ok


def test_the_approval_of_another_plan_changes_nothing(drill: Drill) -> None:
    needs_a_person(drill)
    write(drill, f"approvals/{CLIENT}/cookies.yaml", approval(drill, plan="5" * 64))
    break_sysctl(drill.machine)

    report = drill.run()

    assert report.intent.refused is None
    assert left(report).startswith("approval cookies is for another plan; needs a person")
    assert drill.machine.sysctls[COOKIES] == "0"


def test_after_its_last_day_an_approval_is_over(drill: Drill) -> None:
    needs_a_person(drill)
    write(drill, f"approvals/{CLIENT}/cookies.yaml", approval(drill, days=0))
    drill.run()
    break_sysctl(drill.machine)

    report = drill.run(after_s=86_400)

    assert left(report).startswith("approval cookies expired on")
    assert drill.machine.sysctls[COOKIES] == "0"


def test_a_tier_that_only_looks_leaves_drift_to_people_and_records_it_all_the_same(
    drill: Drill,
) -> None:
    drill.edit(CLIENT_FILE, lambda old: old.replace("tier: professional", "tier: essential"))
    break_sysctl(drill.machine)

    report = drill.run()

    assert statuses(report)[SYSCTL] == "fail"
    assert report.mode == "observe"
    home = load_settings(drill.site.made.settings)
    assert explain(home, SYSCTL, clock=drill.clock).standings[0].mode == "observe"
    assert [(u.rule, u.reason) for u in report.plan.unplanned] == [(SYSCTL, "observe")]
    assert drill.machine.sysctls[COOKIES] == "0"
    assert drill.kinds() == ["genesis", "run"]
    assert len(drill.bodies("run")[0]["findings"]) == len(report.findings)


def risk(drill: Drill, *, days: int) -> str:
    return (
        "id: no-cookies\nstatus: risk_accepted_noncompliant\n"
        "control: hipaa:164.308(a)(1)(ii)(B)\n"
        f"rules: [sysctl-syncookies]\nhosts: [{HOST}]\n"
        "assessment: A device of the clinic breaks with it.\n"
        f"decided_on: {today(drill)}\n"
        "reason: The vendor will replace the device.\n"
        "alternative: [The device stands in a network of its own.]\n"
        "owner: Security official of the practice\napprover: Owner of the practice\n"
        f"review_by: {today(drill) + timedelta(days=days)}\n"
    )


def test_an_accepted_risk_stays_a_fail_in_evidence_and_everywhere_it_is_asked_for(
    drill: Drill,
) -> None:
    drill.edit(CLIENT_FILE, lambda old: old.replace("mode: enforce", "mode: observe"))
    write(drill, f"policies/exceptions/{CLIENT}/no-cookies.yaml", risk(drill, days=20))
    break_sysctl(drill.machine)

    report = drill.run()

    assert report.intent.refused is None, report.intent.message
    assert report.exit_code is ExitCode.DRIFT
    assert report.notices == (
        f"exception no-cookies ends on {today(drill) + timedelta(days=20)}, in 20 days",
    )
    (body,) = drill.bodies("run")
    (found,) = [f for f in body["findings"] if f["rule"] == SYSCTL]
    assert (found["status"], found["exception"]) == ("fail", None)
    assert found["risk_accepted_noncompliant"] == "no-cookies"
    assert drill.verify().ok

    home = load_settings(drill.site.made.settings)
    (standing,) = explain(home, SYSCTL, clock=drill.clock).standings
    assert standing.finding["risk_accepted_noncompliant"] == "no-cookies"
    assert "risk_accepted_noncompliant no-cookies" in standing.decisions[0]
    assert "in 20 days" in standing.decisions[0]

    (diagnosis,) = diagnose_policy(home, today(drill))
    assert diagnosis.state == "limited"
    assert "no-cookies.yaml" in diagnosis.detail and "in 20 days" in diagnosis.detail
    early = diagnose_policy(home, today(drill) - timedelta(days=1))
    assert any("no-cookies.yaml" in d.detail and "is decided on" in d.detail for d in early)


def test_when_its_time_is_over_the_gap_is_a_plain_fail(drill: Drill) -> None:
    drill.edit(CLIENT_FILE, lambda old: old.replace("mode: enforce", "mode: observe"))
    write(drill, f"policies/exceptions/{CLIENT}/no-cookies.yaml", risk(drill, days=1))
    break_sysctl(drill.machine)
    drill.run()

    report = drill.run(after_s=2 * 86_400)

    (found,) = [f for f in report.findings if f.rule == SYSCTL]
    assert (found.status, found.risk_accepted) == ("fail", None)
    assert found.reason.startswith("exception no-cookies expired on")


def test_a_proposed_rule_is_shown_as_such_and_never_as_law(drill: Drill) -> None:
    proposed = "hipaa-nprm-2025-proposed"
    frameworks = f"frameworks: [hipaa, {proposed}]\naccept_proposed: true"
    drill.edit(CLIENT_FILE, lambda old: old.replace("frameworks: [hipaa]", frameworks))
    report = drill.run()
    assert report.intent.refused is None, report.intent.message

    home = load_settings(drill.site.made.settings)
    law = explain(home, "164.316(b)(1)", clock=drill.clock)
    assert law.details["control"] == "hipaa:164.316(b)(1)"
    ahead = explain(home, f"{proposed}:164.316(b)(1)", clock=drill.clock)
    assert ahead.details["status"].startswith("proposed, no law")


def test_doctor_says_when_nothing_was_decided_and_when_nothing_ran(drill: Drill) -> None:
    home = load_settings(drill.site.made.settings)
    assert [d.state for d in diagnose_policy(home, today(drill))] == ["absent"]
    drill.run()
    assert [d.state for d in diagnose_policy(home, date(2026, 11, 1))] == ["ok"]
