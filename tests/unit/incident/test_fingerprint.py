"""The same fault has the same fingerprint, another fault another one."""

import hashlib
from typing import Any

import pytest

from reconciler.incident.fingerprint import fingerprint, sighting, source_of
from reconciler.model.finding import Finding
from tests.support.desired_states import make_finding


def failing(**changes: Any) -> Finding:
    fields: dict[str, Any] = {
        "observed": {"active": False, "free": 3, "units": ("b", "a"), "state": "failed"},
        "failed": ("active", "free", "units", "state"),
    }
    return make_finding(**(fields | changes))


def test_a_fingerprint_is_the_digest_of_place_and_difference() -> None:
    text = (
        '{"check":"LNX-TIME-001","client":"clinic","diff":{"active":false,"free":"number",'
        '"state":"failed","units":["a","b"]},"host":"frontdesk","rule":"time"}'
    )

    assert fingerprint(failing(), ()) == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize(
    "observed",
    [
        {"active": False, "free": 9, "units": ("a", "b", "a"), "state": "failed"},
        {"active": False, "free": 3, "units": ("b", "a"), "state": "failed", "other": "x"},
    ],
)
def test_a_number_that_moved_a_list_in_another_order_and_what_passes_change_nothing(
    observed: dict[str, Any],
) -> None:
    assert fingerprint(failing(observed=observed), ()) == fingerprint(failing(), ())


@pytest.mark.parametrize(
    "changes",
    [
        {"rule": "other"},
        {"check": "LNX-TIME-002"},
        {"target": "clinic/backdesk"},
        {"target": "clinics/frontdesk"},
        {"failed": ("active",)},
        {"observed": {"active": True, "free": 3, "units": ("b", "a"), "state": "failed"}},
        {"observed": {"active": False, "free": 3, "units": ("b",), "state": "failed"}},
        {"observed": {"active": False, "free": 3, "units": ("b", "a"), "state": "inactive"}},
        {"observed": {"active": False, "free": None, "units": ("b", "a"), "state": "failed"}},
    ],
)
def test_another_place_or_another_difference_is_another_fault(changes: dict[str, Any]) -> None:
    assert fingerprint(failing(**changes), ()) != fingerprint(failing(), ())


def test_a_gauge_is_named_and_not_read() -> None:
    moved = {"active": False, "free": 3, "units": ("b", "a"), "state": "inactive"}

    assert fingerprint(failing(observed=moved), {"state"}) == fingerprint(failing(), {"state"})


def test_what_does_not_fail_has_none() -> None:
    assert sighting(make_finding(status="unknown"), ()).fingerprint == ""


@pytest.mark.parametrize(
    ("check", "source"),
    [("LNX-EVT-001", "journal"), ("LNX-PSI-003", "pressure"), ("LNX-EVD-001", "check")],
)
def test_a_check_says_what_saw_it(check: str, source: str) -> None:
    assert source_of(check) == source
