"""What `reconciler approve` writes binds, and what could not bind is refused in words."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from reconciler.desired.gate.approving import Proposed, Wish, propose_approval
from reconciler.desired.gate.reading import Reading
from reconciler.engine.inquiry.rehearse import moment
from reconciler.errors import InputError
from reconciler.guard.approval import judge
from reconciler.guard.memory import Memory
from reconciler.model.desired import DesiredState
from reconciler.model.plan import Action
from tests.support import gated
from tests.support.gated import CATALOGUES, CLIENT, DESK, RUNBOOK, edited, reading
from tests.support.policy import STEPS

TODAY = date(2026, 6, 1)
NAME = "RB-UNIT-001"
ASKING = edited(RUNBOOK, "mode: auto", "mode: approve")
RISKY = {RUNBOOK: ASKING[RUNBOOK].replace("risk: low", "risk: high")}
HIGH = gated.TRUST.replace(
    "  - id: clients\n",
    '  - {id: high, paths: ["approvals/{client}/high-*.yaml"], authors: [engineer], approvals: 1}\n'
    "  - id: clients\n",
)


def wish(**changes: Any) -> Wish:
    fields = {"runbooks": (NAME,), "hosts": (), "approver": "alice@msp.example", "today": TODAY}
    return Wish(**(fields | changes))


def propose(changes: gated.Texts, *, trust: str | None = gated.TRUST, **more: Any) -> Proposed:
    return propose_approval(reading(changes, trust=trust), wish(**more), CATALOGUES)


def refusal(changes: gated.Texts, *, trust: str | None = gated.TRUST, **more: Any) -> str:
    with pytest.raises(InputError) as refused:
        propose(changes, trust=trust, **more)
    return f"{refused.value} | {refused.value.hint}"


def with_file(changes: gated.Texts, proposed: Proposed, trust: str = gated.TRUST) -> Reading:
    return reading({**changes, proposed.path: proposed.text}, trust=trust)


def ruling(state: DesiredState, day: int = 1) -> str:
    pinned = state.runbooks[NAME]
    action = Action(
        id="f" * 64,
        target=state.target,
        tier="L1",
        rules=(),
        runbook=NAME,
        runbook_digest=pinned.digest,
        params={},
    )
    now = datetime(2026, 6, day, 12, tzinfo=UTC)
    return judge(action, moment(state, STEPS, now, Memory.empty(), action, window=False)).ruling


def test_what_is_written_lets_the_runbook_begin_and_the_gate_says_nothing_against_it() -> None:
    found = propose(ASKING)
    assert found.path == "approvals/clinic/rb-unit-001-desk-20260601.yaml"
    assert found.approval.expires == date(2026, 6, 8)
    assert found.approval.reason == "Restart a unit (RB-UNIT-001) on desk"
    assert found.rule is not None and found.rule.id == "clients"
    after = with_file(ASKING, found)
    assert after.remarks == ()
    assert ruling(reading(ASKING).states["clinic/desk"]) == "deny"
    assert ruling(after.states["clinic/desk"]) == "allow"
    assert ruling(after.states["clinic/desk"], day=9) == "deny"


def test_high_risk_takes_a_path_that_asks_two() -> None:
    said = refusal(RISKY, trust=HIGH, name="desk")
    assert said.startswith("approvals/clinic/desk.yaml: binds nothing: high risk needs two")
    assert "binds nothing: high risk" in refusal(RISKY), "no rule asks two people"
    incident = propose(RISKY, trust=HIGH, about="incident-0123456789ab")
    assert incident.path == "approvals/clinic/high-incident-0123456789ab.yaml"
    found = propose(RISKY, trust=HIGH)
    assert found.path == "approvals/clinic/high-rb-unit-001-desk-20260601.yaml"
    assert found.rule is not None and found.rule.approvals == 1
    assert ruling(with_file(RISKY, found, HIGH).states["clinic/desk"]) == "allow"


def test_an_emergency_opens_a_window_for_two_days() -> None:
    changes = edited(RUNBOOK, "mode: auto", "mode: window")
    found = propose(changes, emergency=True)
    assert found.path.startswith("approvals/clinic/emergency-rb-unit-001-desk-")
    assert found.approval.expires == date(2026, 6, 3)
    after = with_file(changes, found)
    assert after.remarks == ()
    assert ruling(after.states["clinic/desk"]) == "allow"
    assert ruling(reading(changes).states["clinic/desk"]) == "defer"


def test_onboarding_names_all_that_may_begin() -> None:
    found = propose({}, runbooks=(), hosts=("clinic/desk",), onboarding=True)
    assert found.path == "approvals/clinic/onboarding-desk-20260601.yaml"
    assert list(found.approval.runbooks) == [NAME]
    assert with_file({}, found).remarks == ()
    said = refusal(RISKY, trust=HIGH, runbooks=(), hosts=("clinic/desk",), onboarding=True)
    assert said.startswith("nothing that software may begin is left")


@pytest.mark.parametrize(
    ("changes", "more", "why"),
    [
        (ASKING, {"runbooks": ("RB-UNIT-002",)}, "there is no runbook RB-UNIT-002"),
        ({}, {}, "has mode auto, which needs no approval"),
        (ASKING, {"hosts": ("clinic/dest",)}, "there is no host clinic/dest"),
        (ASKING, {"approver": "mallory@msp.example"}, "is no person of the trust policy"),
        (ASKING, {"approver": "carol@msp.example"}, "rule clients asks for others"),
        (ASKING, {"days": 91}, "an approval lasts 90 days at most, not 91"),
        (ASKING, {"days": 3, "emergency": True}, "an emergency lasts 2 days at most, not 3"),
        (ASKING, {"runbooks": ()}, "names neither a runbook nor a host"),
        (ASKING, {"name": "Not a name"}, "Not a name"),
        (
            {
                **ASKING,
                **edited(CLIENT, "mode: enforce", "mode: enforce\ndenied_runbooks: [RB-UNIT-001]"),
            },
            {},
            "the client denies RB-UNIT-001",
        ),
        (
            {**ASKING, **edited(DESK, "mode: enforce", "mode: observe")},
            {},
            "no rule that RB-UNIT-001 fixes is enforced",
        ),
        (
            {**ASKING, **edited(DESK, "mode: enforce", "mode: Enforce")},
            {},
            "the fleet has errors, so there is no plan to approve",
        ),
    ],
)
def test_what_could_not_bind_is_refused(
    changes: gated.Texts, more: dict[str, Any], why: str
) -> None:
    assert why in refusal(changes, **more)


def test_without_a_policy_the_approver_has_a_key_at_least() -> None:
    assert "mallory@msp.example has no key" in refusal(
        ASKING, trust=None, approver="mallory@msp.example"
    )
    assert propose(ASKING, trust=None).rule is None


def test_a_file_that_is_there_is_not_written_over() -> None:
    found = propose(ASKING)
    with pytest.raises(InputError, match="is there already"):
        propose_approval(with_file(ASKING, found), wish(), CATALOGUES)
