"""A gap whose risk was accepted without compliance: every output calls it that, none excepted."""

import csv as stdlib_csv
import json
from typing import Any

import pytest

from reconciler.errors import ExitCode
from reconciler.evidence.bodies import finding_body
from reconciler.model.explanation import Explanation, Standing
from reconciler.model.finding import Finding
from reconciler.model.plan import Plan
from reconciler.model.run import IntentStatus, RunReport
from reconciler.report import explain, pdf_page, run_diff, table, words
from reconciler.report import run as run_report
from reconciler.report.control_state import ControlFacts, state_of
from reconciler.report.csv_export import csv
from reconciler.report.oscal import oscal
from reconciler.report.period import parse
from reconciler.report.spans import Folding
from reconciler.report.survey import survey
from tests.support.entries import finding, run
from tests.support.sheets import sheet_of

AUDIT = ControlFacts("hipaa:164.312(b)", "Audit controls", "tested")
GAP = {"risk_accepted_noncompliant": "old-scanner", "reason": "The scanner cannot be replaced."}
KNOWN = finding("r", "fail", **GAP)
UNKNOWN_GAP = finding("r", "fail")


def judged(**changes: Any) -> Finding:
    fields: dict[str, Any] = {
        "rule": "r",
        "check": "LNX-X-001",
        "target": "c/h",
        "status": "fail",
        "severity": "high",
        "controls": ("hipaa:164.312(b)",),
        "risk_accepted": "old-scanner",
        "reason": "The scanner cannot be replaced.",
    }
    return Finding(**(fields | changes))


def test_evidence_holds_it_only_where_it_is_so_beside_a_status_that_stays_fail() -> None:
    body = finding_body(judged())
    assert (body["status"], body["exception"]) == ("fail", None)
    assert body[words.GAP] == "old-scanner"
    assert words.GAP not in finding_body(judged(risk_accepted=None))


def test_words_call_it_a_gap() -> None:
    said = words.finding(KNOWN)
    assert "a gap, risk_accepted_noncompliant: old-scanner" in said
    assert "exception" not in said
    assert "gap" not in words.finding(UNKNOWN_GAP)


def test_a_control_with_a_known_gap_is_never_satisfied() -> None:
    folding = Folding()
    folding.add(run(1, KNOWN, finding("good", "pass")))
    spans = folding.end()
    state = state_of(AUDIT, spans, spans)
    assert (state.satisfied, state.reason) == (False, "fail")
    assert "1 are risk_accepted_noncompliant: gaps, known and open" in state.words
    assert state.counts == {"fail": 1, "pass": 1}


def test_a_proposed_rule_is_never_satisfied_whatever_passes() -> None:
    name = "hipaa-nprm-2025-proposed:164.312(d)"
    folding = Folding()
    folding.add(run(1, finding("r", "pass", controls=[name])))
    spans = folding.end()
    state = state_of(ControlFacts(name, "MFA", "tested"), spans, spans)
    assert (state.satisfied, state.reason) == (False, "other")
    assert state.words.startswith("Proposed rule, no law")
    assert "1 pass" in state.words
    hipaa = state_of(ControlFacts("hipaa:164.312(d)", "Who", "tested"), spans, spans)
    assert hipaa.counts == {}


def test_accepting_a_gap_begins_a_span_of_its_own() -> None:
    folding = Folding()
    ended = folding.add(run(2, KNOWN)) + folding.add(run(1, UNKNOWN_GAP))
    assert [(s.status, s.risk_accepted, s.first.seq) for s in ended] == [("fail", "old-scanner", 2)]
    assert [s.risk_accepted for s in folding.end()] == [None]


def test_the_key_of_other_spans_is_what_it_was() -> None:
    folding = Folding()
    folding.add(run(1, UNKNOWN_GAP))
    (span,) = folding.end()
    assert json.loads(span.key)[-2:] == [None, None]


def test_the_csv_has_a_column_of_its_own() -> None:
    text = csv(sheet_of(run(3, KNOWN))).decode("utf-8-sig")
    (row,) = stdlib_csv.DictReader(text.splitlines())
    assert (row["status"], row["exception"]) == ("fail", "")
    assert row["risk_accepted_noncompliant"] == "old-scanner"
    assert "a gap, risk_accepted_noncompliant" in row["detail"]


def test_the_page_of_a_control_says_so() -> None:
    (row,) = json.loads(pdf_page.data(sheet_of(run(3, KNOWN))))["parts"][0]["rows"]
    assert row["status"] == "fail"
    assert "risk_accepted_noncompliant" in row["about"].replace("\u200b", "")
    assert "exception" not in row["about"]


def test_oscal_has_a_property_and_an_objective_that_is_not_satisfied() -> None:
    found = survey([run(1, KNOWN)], "smile", "desk", parse("2026-03-01"))
    (result,) = json.loads(oscal(found, [AUDIT], lambda where: f"{where.seq:064x}"))[
        "assessment-results"
    ]["results"]
    props = {p["name"]: p["value"] for p in result["observations"][0]["props"]}
    assert props["risk-accepted-noncompliant"] == "old-scanner"
    assert (props["outcome"], "exception" in props) == ("fail", False)
    status = result["findings"][0]["target"]["status"]
    assert (status["state"], status["reason"]) == ("not-satisfied", "fail")
    assert "risk_accepted_noncompliant" in status["remarks"]


def test_a_difference_between_two_runs_names_it() -> None:
    old, new = run(1, UNKNOWN_GAP), run(2, KNOWN)
    document = run_diff.as_document(old, old, new, new)
    assert [change["rule"] for change in document["findings"]] == ["r"]
    said = run_diff.render(document)
    assert "fail -> fail (a gap, risk_accepted_noncompliant: old-scanner)" in said


def report(*findings: Finding, notices: tuple[str, ...] = ()) -> RunReport:
    return RunReport(
        run="f" * 32,
        target="c/h",
        mode="enforce",
        findings=findings,
        before=(),
        plan=Plan((), (), "p" * 64),
        intent=IntentStatus(commit="c" * 40, counter=3, fetched=True),
        census={"rules": 1},
        seq=7,
        commit="e" * 40,
        notices=notices,
    )


def test_a_run_lists_known_gaps_and_counts_them_among_what_fails() -> None:
    said = run_report.render(report(judged(), judged(rule="s", risk_accepted=None)))
    assert "known gaps (risk_accepted_noncompliant), which nothing covers:" in said
    assert "  r: old-scanner: The scanner cannot be replaced." in said
    assert "2 fail" in said
    assert "(of the failing, 1 risk_accepted_noncompliant: known gaps)" in said
    assert report(judged()).exit_code is ExitCode.DRIFT
    assert "known gaps" not in run_report.render(report(judged(risk_accepted=None)))


def test_a_run_says_what_ends_soon() -> None:
    noted = report(judged(), notices=("exception idle ends on 2026-03-09, in 7 days",))
    assert "notice: exception idle ends on 2026-03-09, in 7 days" in run_report.render(noted)
    assert run_report.as_document(noted)["notices"] == list(noted.notices)


def test_an_explanation_says_it_and_who_decided_until_when() -> None:
    standing = Standing(
        finding=KNOWN,
        title="R",
        note="",
        remedy=None,
        mode="observe",
        since={},
        decisions=("risk_accepted_noncompliant old-scanner for hipaa:164.312(b) ends on …",),
    )
    explained = Explanation(
        subject="r", what="R", details={}, standings=(standing,), seq=1, commit="c" * 40,
        path="x", recorded_at="now", last_seq=1, last_at="now",
    )  # fmt: skip
    said = explain.render(explained)
    assert "  a gap, risk_accepted_noncompliant: old-scanner" in said
    assert "  risk_accepted_noncompliant old-scanner for hipaa:164.312(b) ends on" in said


@pytest.mark.parametrize(
    ("control", "shown"),
    [
        ("hipaa:164.312(d)", "164.312(d)"),
        ("hipaa-nprm-2025-proposed:164.312(d)", "164.312(d) (hipaa-nprm-2025-proposed)"),
    ],
)
def test_the_table_never_shows_a_proposed_control_as_if_it_were_law(
    control: str, shown: str
) -> None:
    line = table.render([judged(controls=(control,))], width=300).splitlines()[1]
    assert line.endswith(shown)
    assert ("proposed" in line) == ("proposed" in control)
