"""Mode ``approve``: one plan, one runbook, up to a day; all else is denied with what lacks."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from reconciler.evidence.bodies import verdict_body
from reconciler.guard import runbook_mode, tier
from reconciler.model.approval import Approval
from reconciler.model.desired import PinnedApproval
from reconciler.model.own_words import own_words
from reconciler.model.verdict import Verdict
from tests.support.desired_states import frozen, make_action, make_desired, make_runbook, pin
from tests.support.guarding import NOW, make_context

PLAN, OTHER = "1" * 64, "2" * 64
RUNBOOK, FILE = "a" * 64, "f" * 64
TODAY = NOW.date()


def approval(**changes: Any) -> PinnedApproval:
    document = {
        "id": "restart",
        "approver": "alice@msp.example",
        "hosts": {"frontdesk": f"sha256:{PLAN}"},
        "runbooks": {"RB-TIME-001": f"sha256:{RUNBOOK}"},
        "reason": "The clock stopped.",
        "issued_on": TODAY.isoformat(),
        "expires": (TODAY + timedelta(days=7)).isoformat(),
    }
    return PinnedApproval(Approval.model_validate(frozen(document | changes)), FILE)


def verdict(
    *approvals: PinnedApproval, now: datetime = NOW, plan: str = PLAN, mode: str = "approve"
) -> Verdict:
    desired = make_desired(
        runbooks=[pin(make_runbook(mode=mode))], approvals=approvals, plan_digest=plan
    )
    return runbook_mode.judge(make_action(), make_context(desired=desired, now=now))


def test_an_approval_that_binds_allows_and_is_named_with_its_file() -> None:
    assert verdict(approval()) == Verdict(
        "allow",
        "runbook_mode",
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
            {"issued_on": "2026-03-03"},
            "approval restart is decided on 2026-03-03 only",
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


@pytest.mark.parametrize("given", [(), (approval(),), (approval(expires="2026-03-02"),)])
def test_what_is_said_reaches_evidence_whole(given: tuple[PinnedApproval, ...]) -> None:
    """The scrubber would withhold an address, a day and digests that nobody vouches for."""
    desired = make_desired(
        runbooks=[pin(make_runbook(mode="approve"))], approvals=given, plan_digest=PLAN
    )
    later = make_context(desired=desired, now=NOW + timedelta(days=len(given)))
    found = runbook_mode.judge(make_action(), later)
    assert verdict_body(found, own_words(desired))["reason"] == found.reason


def test_so_does_the_tier_that_does_not_heal() -> None:
    desired = make_desired(features=frozenset())
    found = tier.judge(make_action(), make_context(desired=desired))
    assert verdict_body(found, own_words(desired))["reason"] == found.reason
