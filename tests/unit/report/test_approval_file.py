"""A proposed approval reads back as what was asked for, whatever people write into it."""

from datetime import date

import pytest

from reconciler.desired import strict_yaml
from reconciler.desired.validation import validate
from reconciler.model.approval import Approval
from reconciler.report.approval_file import approval_path, approval_text

DAY = date(2026, 3, 2)


def text(**changes: object) -> str:
    fields = {
        "name": "incident-0123456789ab",
        "approver": "ann@msp.example",
        "hosts": {"desk": "a" * 64},
        "runbooks": {"RB-TIME-001": f"sha256:{'b' * 64}"},
        "reason": "it drifts",
        "issued_on": DAY,
        "expires": date(2026, 3, 9),
    }
    return approval_text(**(fields | changes))  # type: ignore[arg-type]


def read(said: str) -> Approval:
    path = approval_path("clinic", "incident-0123456789ab")
    approval = validate(strict_yaml.load(said.encode(), path), Approval)
    assert isinstance(approval, Approval)
    return approval


def test_it_reads_back_with_its_digests() -> None:
    approval = read(text())

    assert approval.hosts == {"desk": f"sha256:{'a' * 64}"}
    assert approval.runbooks == {"RB-TIME-001": f"sha256:{'b' * 64}"}
    assert (approval.emergency, approval.onboarding) == (False, False)
    assert read(text(onboarding=True)).onboarding
    assert read(text(emergency=True, expires=DAY)).emergency


@pytest.mark.parametrize("reason", ['a "b" \\ c', "x: y # z\n- w", "\U0001f600 ß", "*a &b !c"])
def test_a_reason_cannot_leave_its_place(reason: str) -> None:
    assert read(text(reason=reason)).reason == reason.strip()
