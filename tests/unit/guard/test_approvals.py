"""Mode ``approve``: one plan, one runbook, up to a day; all else is denied with what lacks."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from reconciler.evidence.bodies import verdict_body
from reconciler.guard import approval as guard
from reconciler.guard import tier
from reconciler.guard.calendar import Calendar
from reconciler.model.approval import Approval
from reconciler.model.desired import PinnedApproval
from reconciler.model.own_words import own_words
from reconciler.model.verdict import Verdict
from tests.support.desired_states import frozen, make_action, make_desired, make_runbook, pin
from tests.support.guarding import NOW, make_context

PLAN, OTHER = "1" * 64, "2" * 64
RUNBOOK, FILE = "a" * 64, "f" * 64
TODAY = NOW.date()


def approval(people: int = 1, **changes: Any) -> PinnedApproval:
    document = {
        "id": "restart",
        "approver": "alice@msp.example",
        "hosts": {"frontdesk": f"sha256:{PLAN}"},
        "runbooks": {"RB-TIME-001": f"sha256:{RUNBOOK}"},
        "reason": "The clock stopped.",
        "issued_on": TODAY.isoformat(),
        "expires": (TODAY + timedelta(days=7)).isoformat(),
    }
    return PinnedApproval(Approval.model_validate(frozen(document | changes)), FILE, people)


def urgent(**changes: Any) -> PinnedApproval:
    return approval(**({"emergency": True, "expires": "2026-03-04"} | changes))


def verdict(
    *approvals: PinnedApproval,
    now: datetime = NOW,
    plan: str = PLAN,
    mode: str = "approve",
    risk: str = "low",
    **context: Any,
) -> Verdict:
    desired = make_desired(
        runbooks=[pin(make_runbook(mode=mode, risk=risk))], approvals=approvals, plan_digest=plan
    )
    return guard.judge(make_action(), make_context(desired=desired, now=now, **context))


def test_an_approval_that_binds_allows_and_is_named_with_its_file() -> None:
    assert verdict(approval()) == Verdict(
        "allow",
        "approval",
        f"approval restart of alice@msp.example, until {date(2026, 3, 9)} (sha256:{FILE})",
    )


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"hosts": {"frontdesk": f"sha256:{OTHER}"}}, "approval restart is for another plan"),
        ({"hosts": {"server": f"sha256:{PLAN}"}}, "approval restart is for another plan"),
        (
            {"runbooks": {"RB-TIME-001": f"sha256:{OTHER}"}},
            "approval restart is for another RB-TIME-001",
        ),
        (
            {"issued_on": "2026-02-01", "expires": "2026-03-01"},
            "approval restart expired on 2026-03-01",
        ),
    ],
)
def test_an_approval_of_something_else_or_of_another_time_denies(
    changes: dict[str, Any], why: str
) -> None:
    found = verdict(approval(**changes))
    assert found.ruling == "deny"
    assert found.reason.startswith(why)


def test_one_that_counts_from_tomorrow_is_waited_for() -> None:
    found = verdict(approval(issued_on="2026-03-03"))
    assert (found.ruling, found.reason) == (
        "defer",
        "approval restart is decided on 2026-03-03 only",
    )
    assert found.retry_after_s == 15 * 3600
    then = NOW + timedelta(seconds=found.retry_after_s)
    assert verdict(approval(issued_on="2026-03-03"), now=then).ruling == "allow"


def test_one_of_tomorrow_that_would_not_bind_then_is_not_waited_for() -> None:
    other = approval(issued_on="2026-03-03", hosts={"frontdesk": f"sha256:{OTHER}"})
    assert verdict(other).ruling == "deny"


def test_it_counts_through_its_last_day_in_utc() -> None:
    last = datetime(2026, 3, 9, 23, 59, 59, tzinfo=NOW.tzinfo)
    assert verdict(approval(), now=last).ruling == "allow"
    assert verdict(approval(), now=last + timedelta(seconds=1)).ruling == "deny"


def test_what_is_missing_is_said_so_that_it_can_be_written() -> None:
    found = verdict()
    assert found.ruling == "deny"
    assert found.reason == (
        "needs a person: approvals/clinic/<id>.yaml with hosts frontdesk: "
        f"sha256:{PLAN} and runbooks RB-TIME-001: sha256:{RUNBOOK}"
    )


def test_an_approval_of_another_runbook_says_nothing_about_this_one() -> None:
    found = verdict(approval(runbooks={"RB-DNS-001": f"sha256:{RUNBOOK}"}))
    assert found.reason.startswith("needs a person")


def test_one_that_binds_among_others_is_enough() -> None:
    stale = approval(hosts={"frontdesk": f"sha256:{OTHER}"}, id="old")
    assert verdict(stale, approval()).ruling == "allow"


def test_without_a_reckoned_plan_no_approval_binds() -> None:
    assert verdict(approval(), plan="").ruling == "deny"


@pytest.mark.parametrize(("people", "ruling"), [(1, "deny"), (2, "allow"), (3, "allow")])
def test_high_risk_needs_two_people_by_the_rule_of_the_path(people: int, ruling: str) -> None:
    found = verdict(approval(people), risk="high")
    assert found.ruling == ruling
    if ruling == "deny":
        assert found.reason == (
            "approval restart rests on 1 person, and high risk needs 2 people; needs two people: "
            f"approvals/clinic/<id>.yaml with hosts frontdesk: sha256:{PLAN} and runbooks "
            f"RB-TIME-001: sha256:{RUNBOOK}, under a rule of policies/trust/policy.yaml for "
            "approvals/clinic/** that asks for 1 approval"
        )


def test_high_risk_asks_people_whatever_its_mode_says() -> None:
    # No document says so; a runbook that was made otherwise is held to it all the same.
    odd = make_runbook(mode="approve", risk="high").model_copy(update={"mode": "auto"})
    desired = make_desired(runbooks=[pin(odd)], plan_digest=PLAN)
    assert guard.judge(make_action(), make_context(desired=desired)).ruling == "deny"


def test_low_risk_needs_one_person() -> None:
    assert verdict(approval(1)).ruling == "allow"


CLOSED = Calendar(day=TODAY, opens_at=NOW + timedelta(hours=13, microseconds=1), thaws_at=None)


def test_a_closed_window_is_waited_for_until_it_opens() -> None:
    found = verdict(mode="window", calendar=CLOSED)
    assert (found.ruling, found.retry_after_s) == ("defer", 13 * 3600 + 1)
    assert verdict(mode="window", window_open=True, calendar=CLOSED).ruling == "allow"


def test_a_window_that_never_opens_promises_nothing() -> None:
    never = Calendar(day=TODAY, opens_at=None, thaws_at=None)
    found = verdict(mode="window", calendar=never)
    assert (found.ruling, found.retry_after_s) == ("defer", None)
    assert found.reason.endswith("none is in sight")


def test_an_emergency_opens_the_window_and_is_named() -> None:
    found = verdict(urgent(), mode="window", calendar=CLOSED)
    assert found == Verdict(
        "allow",
        "approval",
        f"emergency: approval restart of alice@msp.example, until 2026-03-04 (sha256:{FILE})",
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"emergency": False},
        {"runbooks": {"RB-OTHER-001": f"sha256:{RUNBOOK}"}},
        {"runbooks": {"RB-TIME-001": f"sha256:{OTHER}"}},
        {"hosts": {"frontdesk": f"sha256:{OTHER}"}},
        {"issued_on": "2026-02-27", "expires": "2026-03-01"},
    ],
)
def test_an_emergency_that_does_not_bind_opens_nothing(changes: dict[str, Any]) -> None:
    assert verdict(urgent(**changes), mode="window", calendar=CLOSED).ruling == "defer"


def test_an_emergency_ends_after_two_days() -> None:
    with pytest.raises(ValueError, match="an emergency lasts 2 days at most"):
        urgent(expires="2026-03-05")


def test_what_covers_an_action_is_found_by_its_kind() -> None:
    plain, pressing, first = approval(id="a"), urgent(id="b"), approval(id="c", onboarding=True)
    desired = make_desired(approvals=(plain, pressing, first), plan_digest=PLAN)
    context, action = make_context(desired=desired), make_action()
    assert guard.binding(action, context) is plain
    assert guard.emergency(action, context) is pressing
    assert guard.onboarding(action, context) is first
    over = make_context(desired=desired, now=NOW + timedelta(days=8))
    assert guard.binding(action, over) is None
    assert guard.onboarding(make_action(runbook="RB-OTHER-001"), context) is None


def test_never_stays_never_whatever_is_approved() -> None:
    assert verdict(approval(), mode="never").ruling == "deny"


@pytest.mark.parametrize(
    "changes",
    [
        {"expires": None},
        {"hosts": {}},
        {"runbooks": {}},
        {"hosts": {"frontdesk": PLAN}},
        {"hosts": {"frontdesk": "sha256:abc"}},
        {"approver": "somebody who agrees"},
        {"expires": "31.12.2026"},
        {"until": "2026-12-31"},
    ],
)
def test_an_approval_that_is_not_exact_is_none(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        approval(**changes)


@pytest.mark.parametrize("risk", ["low", "high"])
@pytest.mark.parametrize("mode", ["approve", "window"])
@pytest.mark.parametrize(
    "given", [(), (approval(),), (approval(expires="2026-03-02"),), (urgent(),)]
)
def test_what_is_said_reaches_evidence_whole(
    given: tuple[PinnedApproval, ...], mode: str, risk: str
) -> None:
    """The scrubber would withhold an address, a day and digests that nobody vouches for."""
    mode = "approve" if risk == "high" else mode
    desired = make_desired(
        runbooks=[pin(make_runbook(mode=mode, risk=risk))], approvals=given, plan_digest=PLAN
    )
    later = make_context(
        desired=desired,
        now=NOW + timedelta(days=len(given)),
        calendar=Calendar(day=TODAY, opens_at=None, thaws_at=None),
    )
    found = guard.judge(make_action(), later)
    assert verdict_body(found, own_words(desired))["reason"] == found.reason


def test_so_does_the_tier_that_does_not_heal() -> None:
    desired = make_desired(features=frozenset())
    found = tier.judge(make_action(), make_context(desired=desired))
    assert verdict_body(found, own_words(desired))["reason"] == found.reason
