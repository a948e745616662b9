"""Guards freeze, exception, fleet_breaker and rollout: what people and the fleet decided."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reconciler.desired.ending import notices
from reconciler.engine.windows import calendar
from reconciler.evidence.bodies import verdict_body
from reconciler.guard import exception, fleet_breaker, freeze, rollout
from reconciler.model.approval import Approval
from reconciler.model.desired import DesiredState, PinnedApproval
from reconciler.model.exemption import PolicyException
from reconciler.model.fleet_wide import FleetBreakers, Rollout
from reconciler.model.framework import Control
from reconciler.model.guard_settings import GuardSettings
from reconciler.model.own_words import own_words
from reconciler.model.verdict import Verdict
from tests.support.desired_states import (
    CONTROL,
    frozen,
    make_action,
    make_client,
    make_desired,
    make_rule,
)
from tests.support.guarding import NOW, make_context

PLAN, RUNBOOK, OTHER = "1" * 64, f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"
FREEZE = {"first": "2026-03-02", "last": "2026-03-04", "reason": "An audit is going on."}


def whole(found: Verdict, desired: DesiredState) -> Verdict:
    """The verdict, once it is seen that evidence says it word for word."""
    assert verdict_body(found, own_words(desired))["reason"] == found.reason
    return found


# --- freeze ---


def cold(*freezes: dict[str, str], **changes: Any) -> DesiredState:
    return make_desired(
        client=make_client(freeze=list(freezes or [FREEZE])), plan_digest=PLAN, **changes
    )


def freezing(desired: DesiredState, at: datetime = NOW) -> Verdict:
    context = make_context(desired=desired, now=at, calendar=calendar(desired.client, at))
    return whole(freeze.judge(make_action(), context), desired)


@pytest.mark.parametrize(
    ("at", "ruling"),
    [
        ("2026-03-02T04:59:59", "allow"),  # 23:59:59 of the day before in New York
        ("2026-03-02T05:00:00", "defer"),
        ("2026-03-05T04:59:59", "defer"),
        ("2026-03-05T05:00:00", "allow"),
    ],
)
def test_both_days_are_frozen_in_the_clients_zone(at: str, ruling: str) -> None:
    assert freezing(cold(), datetime.fromisoformat(f"{at}+00:00")).ruling == ruling


def test_it_says_why_and_when_it_ends() -> None:
    found = freezing(cold())
    assert found.reason == "frozen from 2026-03-02 to 2026-03-04: An audit is going on."
    thaw = datetime(2026, 3, 5, 5, 0, tzinfo=UTC)
    assert found.retry_after_s == (thaw - NOW) // timedelta(seconds=1)
    assert freezing(cold(), thaw).ruling == "allow"


def test_one_freeze_after_another_is_one() -> None:
    later = {"first": "2026-03-05", "last": "2026-03-06", "reason": "Still."}
    found = freezing(cold(FREEZE, later))
    assert found.retry_after_s is not None
    assert NOW + timedelta(seconds=found.retry_after_s) == datetime(2026, 3, 7, 5, 0, tzinfo=UTC)


def test_without_the_clients_day_a_client_with_freeze_days_is_frozen() -> None:
    assert freeze.judge(make_action(), make_context(desired=cold())).ruling == "defer"
    assert freeze.judge(make_action(), make_context()).ruling == "allow"


def emergency(**changes: Any) -> PinnedApproval:
    document = {
        "id": "at-once",
        "approver": "alice@msp.example",
        "hosts": {"frontdesk": f"sha256:{PLAN}"},
        "runbooks": {"RB-TIME-001": RUNBOOK},
        "emergency": True,
        "reason": "It burns.",
        "issued_on": "2026-03-02",
        "expires": "2026-03-03",
    }
    return PinnedApproval(Approval.model_validate(frozen(document | changes)), "f" * 64)


def test_an_emergency_lets_through_what_it_names() -> None:
    found = freezing(cold(approvals=(emergency(),)))
    assert (found.ruling, found.reason[:27]) == ("allow", "emergency: approval at-once")


@pytest.mark.parametrize(
    "changes",
    [
        {"emergency": False},
        {"runbooks": {"RB-OTHER-001": RUNBOOK}},
        {"runbooks": {"RB-TIME-001": OTHER}},
        {"hosts": {"frontdesk": OTHER}},
        {"issued_on": "2026-02-28", "expires": "2026-03-01"},
    ],
)
def test_any_other_approval_thaws_nothing(changes: dict[str, Any]) -> None:
    assert freezing(cold(approvals=(emergency(**changes),))).ruling == "defer"


# --- exception ---


def excepting(name: str = "long-idle", **changes: Any) -> PolicyException:
    document = {
        "id": name,
        "control": CONTROL,
        "rules": ["time"],
        "hosts": ["frontdesk"],
        "assessment": "Looked at.",
        "decided_on": "2026-01-01",
        "reason": "By other means.",
        "alternative": ["Words."],
        "owner": "Somebody",
        "approver": "Somebody",
        "review_by": "2026-03-02",
    }
    return PolicyException.model_validate(frozen(document | changes))


def addressable(requirement: str = "addressable") -> dict[str, Control]:
    fields = {
        "id": "164.312(b)",
        "title": "Audit controls",
        "kind": "specification",
        "requirement": requirement,
        "safeguard": "technical",
        "evidence": "tested",
    }
    return {CONTROL: Control.model_validate(fields)}


def excusing(
    *exceptions: PolicyException, rules: tuple[str, ...] = ("time",), **changes: Any
) -> Verdict:
    now = changes.pop("now", NOW)
    fields = {"controls": addressable(), "exceptions": exceptions} | changes
    desired = make_desired([make_rule("time"), make_rule("disk")], **fields)
    return whole(
        exception.judge(make_action(rules), make_context(desired=desired, now=now)), desired
    )


def test_what_is_excepted_is_not_changed_until_its_last_day() -> None:
    found = excusing(excepting())
    assert found == Verdict("deny", "exception", "excepted: long-idle until 2026-03-02")
    assert excusing(excepting(), now=NOW + timedelta(days=1)).ruling == "allow"


def test_one_rule_that_is_not_excepted_is_a_reason_to_act() -> None:
    assert excusing(excepting(), rules=("time", "disk")).ruling == "allow"
    both = excepting(rules=["time", "disk"])
    assert excusing(both, rules=("time", "disk")).ruling == "deny"
    assert excusing(excepting(), excepting("other", rules=["disk"]), rules=("time", "disk")).reason


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "risk_accepted_noncompliant"},
        {"hosts": ["server"]},
        {"rules": ["disk"]},
        {"decided_on": "2026-03-03", "review_by": "2026-06-01"},
        {"review_by": "2026-03-01"},
    ],
)
def test_what_is_no_exception_here_stops_nothing(changes: dict[str, Any]) -> None:
    assert excusing(excepting(**changes)).ruling == "allow"


@pytest.mark.parametrize("controls", [{}, addressable("required")])
def test_what_cannot_be_excepted_is_not(controls: dict[str, Control]) -> None:
    assert excusing(excepting(), controls=controls).ruling == "allow"


def test_an_action_without_rules_is_not_this_guards() -> None:
    assert excusing(excepting(), rules=()).ruling == "allow"


# --- fleet breaker ---


def broken(digest: str = RUNBOOK) -> DesiredState:
    breaker = {
        "runbook": "RB-TIME-001",
        "digest": digest,
        "opened_on": "2026-03-01",
        "hosts": ["a/b", "a/c", "d/e"],
        "evidence": ["a/b@5:sha256:" + "0" * 64],
        "reason": "It failed.",
    }
    return make_desired(breakers=FleetBreakers.model_validate(frozen({"breakers": [breaker]})))


def test_a_digest_that_is_switched_off_runs_nowhere() -> None:
    desired = broken()
    found = whole(fleet_breaker.judge(make_action(), make_context(desired=desired)), desired)
    assert found.ruling == "deny"
    assert found.reason == (
        "switched off in the whole fleet on 2026-03-01, after it failed on 3 hosts: It failed."
    )
    renamed = make_action(runbook="RB-OTHER-001")
    assert fleet_breaker.judge(renamed, make_context(desired=desired)).ruling == "deny"


def test_another_digest_is_free() -> None:
    context = make_context(desired=broken(OTHER))
    assert fleet_breaker.judge(make_action(), context).ruling == "allow"


def test_the_runbook_as_it_is_now_counts_beside_the_plan() -> None:
    planned_before = make_action(runbook_digest="c" * 64)
    found = fleet_breaker.judge(planned_before, make_context(desired=broken()))
    assert found.ruling == "deny"


# --- rollout ---


def staged(stage: dict[str, Any] | None, *, on: bool = True) -> DesiredState:
    runbooks = {} if stage is None else {"RB-TIME-001": {"digest": RUNBOOK} | stage}
    return make_desired(
        guards=GuardSettings(staged_rollout=on),
        rollout=Rollout.model_validate(frozen({"runbooks": runbooks})),
    )


def rolling(desired: DesiredState, target: str = "clinic/frontdesk") -> str:
    action = make_action(target=target)
    found = rollout.judge(action, make_context(desired=desired))
    return whole(found, replace(desired)).ruling


def test_without_stages_a_version_runs_everywhere() -> None:
    assert rolling(staged(None, on=False)) == "allow"
    assert rolling(staged({"stage": "canary", "hosts": ["a/b"]}, on=False)) == "allow"


@pytest.mark.parametrize(
    "stage",
    [
        None,
        {"stage": "canary"},
        {"stage": "canary", "hosts": ["clinic/server"]},
        {"stage": "all", "digest": OTHER},
        {"stage": "canary", "hosts": ["clinic/frontdesk"], "digest": OTHER},
    ],
)
def test_a_version_that_has_not_come_here_waits(stage: dict[str, Any] | None) -> None:
    assert rolling(staged(stage)) == "defer"


@pytest.mark.parametrize("stage", ["canary", "tenth", "all"])
def test_a_named_host_is_in_every_stage(stage: str) -> None:
    assert rolling(staged({"stage": stage, "hosts": ["clinic/frontdesk"]})) == "allow"


def test_a_tenth_is_every_tenth_by_digest_and_host() -> None:
    desired = staged({"stage": "tenth"})
    targets = [f"clinic/host-{number}" for number in range(2000)]
    chosen = {target for target in targets if rolling(desired, target) == "allow"}
    assert 150 <= len(chosen) <= 250
    assert chosen == {target for target in targets if rollout.is_tenth(RUNBOOK, target)}
    others = {target for target in targets if rollout.is_tenth(OTHER, target)}
    assert chosen != others
    assert all(rolling(staged({"stage": "all"}), target) == "allow" for target in targets[:20])


def test_the_tenth_is_what_anybody_can_reckon_with_sha256sum() -> None:
    # printf '%s' 'sha256:aaa…|clinic/host-26' | sha256sum
    known = [n for n in range(40) if rollout.is_tenth(RUNBOOK, f"clinic/host-{n}")]
    assert known == [26]


def test_a_runbook_of_this_host_that_is_switched_off_is_announced_in_every_run() -> None:
    said = "runbook RB-TIME-001 is switched off in the whole fleet since 2026-03-01"
    assert notices(broken(), NOW.date()) == (said,)
    assert notices(broken(OTHER), NOW.date()) == ()
