from dataclasses import replace
from datetime import date, timedelta

import pytest

from reconciler.diff.judge import judge
from reconciler.model.desired import BoundRule
from reconciler.model.exemption import PolicyException
from reconciler.model.expectation import Expectation
from reconciler.model.finding import Finding
from reconciler.model.framework import Control
from reconciler.model.observation import Observation

TODAY = date(2026, 5, 4)
RULE = BoundRule(
    id="idle-sessions",
    rule="idle-sessions",
    title="Idle sessions end",
    check="LNX-SSH-004",
    params={},
    expect={"interval": Expectation("at_most", 600), "count": Expectation("equals", 1)},
    severity="medium",
    controls=("hipaa:164.312(a)(2)(iii)", "hipaa:164.312(d)"),
    enforce=True,
    remedy=None,
)
CONTROLS = {
    "hipaa:164.312(a)(2)(iii)": Control(
        id="164.312(a)(2)(iii)",
        title="Automatic logoff",
        kind="specification",
        requirement="addressable",
        safeguard="technical",
        evidence="tested",
    ),
    "hipaa:164.312(d)": Control(
        id="164.312(d)",
        title="Person or entity authentication",
        kind="standard",
        requirement="required",
        safeguard="technical",
        evidence="supported",
    ),
}
EXCEPTION = PolicyException(
    id="no-logoff",
    control="hipaa:164.312(a)(2)(iii)",
    rules=("idle-sessions",),
    hosts=("frontdesk",),
    assessment="The desk is staffed.",
    decided_on=date(2026, 1, 1),
    reason="Dictation software drops its session.",
    alternative=("Locked room",),
    owner="Practice manager",
    approver="Security official",
    review_by=TODAY,
)
GOOD = {"interval": 300, "count": 1}
BAD = {"interval": 300, "count": 3}


def seen(**values: object) -> Observation:
    return Observation("LNX-SSH-004", "seen", values, raw_digest="d")  # type: ignore[arg-type]


def judged(
    observation: Observation,
    *exceptions: PolicyException,
    rule: BoundRule = RULE,
    target: str = "clinic/frontdesk",
    today: date = TODAY,
) -> Finding:
    return judge(
        rule, observation, target=target, exceptions=exceptions, controls=CONTROLS, today=today
    )


def test_pass_shows_every_observed_value_beside_what_was_expected() -> None:
    finding = judged(seen(**GOOD, extra="never shown"))
    assert finding.status == "pass"
    assert finding.observed == GOOD
    assert finding.expected == {"interval": "at most 600", "count": "1"}
    assert finding.failed == ()
    assert finding.raw_digest == "d"


def test_fail_names_the_fields_that_are_wrong() -> None:
    finding = judged(seen(interval=300, count=3))
    assert (finding.status, finding.failed) == ("fail", ("count",))


def test_a_missing_field_is_unknown_and_named() -> None:
    finding = judged(seen(interval=300))
    assert (finding.status, finding.reason) == ("unknown", "not observed: count")
    assert finding.observed == {"interval": 300}


def test_a_field_seen_to_be_wrong_fails_even_when_another_is_missing() -> None:
    assert judged(seen(interval=900)).status == "fail"


def test_a_value_of_no_known_type_was_not_observed() -> None:
    assert judged(seen(interval=1.5, count=1)).status == "unknown"
    assert judged(seen(interval={"a": 1}, count=1)).status == "unknown"


def test_absence_that_was_looked_for_is_a_value() -> None:
    assert judged(seen(interval=None, count=1)).status == "fail"


@pytest.mark.parametrize("reason", ["permission denied; needs root", ""])
def test_unobserved_is_unknown_with_a_reason(reason: str) -> None:
    finding = judged(Observation("LNX-SSH-004", "unobserved", GOOD, reason), EXCEPTION)
    assert finding.status == "unknown"
    assert finding.reason == (reason or "the check gave no reason")
    assert finding.observed == {}


def test_not_applicable_needs_the_reason_that_was_observed() -> None:
    said = judged(Observation("LNX-SSH-004", "not_applicable", reason="no SSH server"))
    silent = judged(Observation("LNX-SSH-004", "not_applicable"))
    assert (said.status, said.reason) == ("not_applicable", "no SSH server")
    assert silent.status == "unknown"


def test_an_observation_of_another_check_is_unknown() -> None:
    assert judged(Observation("LNX-SSH-005", "seen", GOOD)).status == "unknown"


def test_a_rule_that_expects_nothing_never_passes() -> None:
    assert judged(seen(**GOOD), rule=replace(RULE, expect={})).status == "unknown"


def test_an_exception_in_force_turns_fail_into_excepted_until_its_last_day() -> None:
    finding = judged(seen(**BAD), EXCEPTION)
    assert (finding.status, finding.exception) == ("excepted", "no-logoff")
    assert finding.observed == BAD
    assert finding.failed == ("count",)


def test_an_expired_exception_leaves_fail_and_says_so() -> None:
    finding = judged(seen(**BAD), EXCEPTION, today=TODAY + timedelta(days=1))
    assert finding.status == "fail"
    assert finding.exception is None
    assert finding.reason == "exception no-logoff expired on 2026-05-04"


def test_an_exception_never_changes_a_pass_or_an_unknown() -> None:
    assert judged(seen(**GOOD), EXCEPTION).status == "pass"
    assert judged(seen(), EXCEPTION).status == "unknown"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"control": "hipaa:164.312(d)"}, "required and cannot be excepted"),
        ({"control": "hipaa:164.312(b)"}, "which this rule does not serve"),
        ({"decided_on": TODAY + timedelta(days=1)}, "is decided on"),
    ],
)
def test_an_exception_that_does_not_hold_leaves_fail_with_the_reason(
    change: dict[str, object], why: str
) -> None:
    finding = judged(seen(**BAD), EXCEPTION.model_copy(update=change))
    assert finding.status == "fail"
    assert why in finding.reason


@pytest.mark.parametrize("change", [{"hosts": ("server",)}, {"rules": ("other",)}])
def test_an_exception_for_another_host_or_rule_is_ignored(change: dict[str, object]) -> None:
    finding = judged(seen(**BAD), EXCEPTION.model_copy(update=change))
    assert (finding.status, finding.reason) == ("fail", "")


def test_an_item_of_a_list_is_excepted_under_the_name_of_its_rule() -> None:
    rule = replace(RULE, id="idle-sessions[desk]")
    assert judged(seen(**BAD), EXCEPTION, rule=rule).status == "excepted"


GAP = EXCEPTION.model_copy(update={"id": "known-gap", "status": "risk_accepted_noncompliant"})


def test_an_accepted_risk_leaves_the_fail_and_says_that_the_gap_is_known() -> None:
    finding = judged(seen(**BAD), GAP)
    assert (finding.status, finding.risk_accepted) == ("fail", "known-gap")
    assert finding.exception is None
    assert finding.reason == GAP.reason


def test_it_may_be_about_a_required_provision_because_it_excuses_nothing() -> None:
    required = GAP.model_copy(update={"control": "hipaa:164.312(d)"})
    assert judged(seen(**BAD), required).risk_accepted == "known-gap"


def test_an_accepted_risk_that_is_over_is_a_plain_fail_again() -> None:
    finding = judged(seen(**BAD), GAP, today=TODAY + timedelta(days=1))
    assert (finding.status, finding.risk_accepted) == ("fail", None)
    assert finding.reason == "exception known-gap expired on 2026-05-04"


@pytest.mark.parametrize("observed", [GOOD, {}])
def test_an_accepted_risk_is_silent_where_nothing_fails(observed: dict[str, object]) -> None:
    assert judged(seen(**observed), GAP).risk_accepted is None


def test_an_exception_that_holds_comes_before_an_accepted_risk() -> None:
    finding = judged(seen(**BAD), GAP, EXCEPTION)
    assert (finding.status, finding.exception, finding.risk_accepted) == (
        "excepted",
        "no-logoff",
        None,
    )


@pytest.mark.parametrize(
    ("requirement", "framework", "status"),
    [
        ("addressable", "hipaa", "excepted"),
        ("compensable", "nist-800-53r5", "excepted"),
        ("required", "hipaa", "fail"),
        ("compensable", "law-proposed", "fail"),
    ],
)
def test_only_what_knows_an_alternative_and_is_in_force_can_be_excepted(
    requirement: str, framework: str, status: str
) -> None:
    name = f"{framework}:1"
    control = CONTROLS["hipaa:164.312(d)"].model_copy(update={"requirement": requirement})
    finding = judge(
        replace(RULE, controls=(name,)),
        seen(**BAD),
        target="clinic/frontdesk",
        exceptions=[EXCEPTION.model_copy(update={"control": name})],
        controls={name: control},
        today=TODAY,
    )
    assert finding.status == status
