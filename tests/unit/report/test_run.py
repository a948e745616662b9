from dataclasses import replace

from reconciler.errors import ExitCode
from reconciler.model.finding import Finding, Status
from reconciler.model.plan import Action, Plan
from reconciler.model.run import IntentStatus, NotDone, RunReport
from reconciler.model.verdict import Verdict
from reconciler.report.run import as_document, one_line, render
from tests.support.ticketing import make_incident


def finding(rule: str, status: Status, reason: str = "") -> Finding:
    return Finding(
        rule=rule, check="LNX-X-001", target="c/h", status=status, severity="high",
        controls=("hipaa:164.312(b)",), reason=reason,
    )  # fmt: skip


ACTION = Action(
    id="a" * 64, target="c/h", tier="L1", rules=("r",), runbook="RB-X-001",
    runbook_digest="d" * 64, params={},
)  # fmt: skip
INTENT = IntentStatus(commit="c" * 40, counter=3, fetched=True)
REPORT = RunReport(
    run="f" * 32,
    target="c/h",
    mode="enforce",
    findings=(finding("a", "pass"),),
    before=(),
    plan=Plan((ACTION,), (), "p" * 64),
    intent=INTENT,
    census={"rules": 1},
    seq=7,
    commit="e" * 40,
)


def test_refusal_comes_before_drift_and_drift_before_unknown() -> None:
    fail, unknown = finding("f", "fail"), finding("u", "unknown", "why")
    refused = replace(INTENT, refused="unsigned", exit_code=ExitCode.REFUSED)
    unreachable = replace(INTENT, fetched=False, refused="unreachable", exit_code=ExitCode.MACHINE)

    def code(findings: tuple[Finding, ...], intent: IntentStatus = INTENT) -> ExitCode:
        return replace(REPORT, findings=findings, intent=intent).exit_code

    assert code((fail,), refused) is ExitCode.REFUSED
    assert code((fail, unknown)) is ExitCode.DRIFT
    assert code((unknown,)) is ExitCode.UNKNOWN
    assert code((finding("e", "excepted"), finding("n", "not_applicable"))) is ExitCode.CLEAN
    assert code((unknown,), unreachable) is ExitCode.UNKNOWN


def test_every_reason_for_unknown_is_shown_whole_once() -> None:
    why = "permission denied reading /etc/shadow; needs root, " + "x" * 200
    report = replace(
        REPORT, findings=(finding("one", "unknown", why), finding("two", "unknown", why))
    )

    text = render(report, width=100)

    assert text.count(why) == 1
    assert "one, two" in text


def test_what_was_not_done_says_who_said_no_and_when_again() -> None:
    waiting = NotDone(ACTION, "deferred", Verdict("defer", "cooldown", "tried 60 s ago", 540))

    text = render(replace(REPORT, not_done=(waiting,)))

    assert "RB-X-001 deferred by cooldown: tried 60 s ago (again in 540 s)" in text


def test_a_dry_run_says_what_it_would_do_and_that_it_did_not() -> None:
    text = render(replace(REPORT, seq=None, commit=None, incidents=(make_incident(),)))

    assert "would run RB-X-001 for r, if every guard allows it" in text
    assert "nothing was written" in text
    assert "incident " not in text  # as the ledger has them, not as this look found them
    assert "evidence:" not in text


def test_a_refused_state_names_the_reason_and_what_is_in_force() -> None:
    refused = replace(INTENT, refused="rewound", message="went back", exit_code=ExitCode.REFUSED)

    text = render(replace(REPORT, intent=refused))

    assert "desired state refused (rewound): went back" in text
    assert "still in force: commit cccccccccccc" in text


def test_the_document_has_everything_a_machine_needs() -> None:
    document = as_document(REPORT)

    assert document["exit_code"] == 0
    assert document["counts"] == {
        "fail": 0, "unknown": 0, "excepted": 0, "pass": 1, "not_applicable": 0,
    }  # fmt: skip
    assert document["plan"]["actions"][0]["runbook"] == "RB-X-001"
    assert document["evidence"] == {"seq": 7, "commit": "e" * 40, "sealed_within_s": None}
    assert document["upkeep"] == []
    assert one_line(REPORT).startswith("c/h entry 7: 1 rules: 0 fail")
