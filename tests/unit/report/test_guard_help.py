"""Every guard that time alone does not end has a word for the person who must."""

import pytest

from reconciler.guard.gate import GUARDS
from reconciler.model.guard_answer import Answer
from reconciler.model.plan import Unplanned
from reconciler.model.verdict import Verdict
from reconciler.report.guard_help import needed, sooner
from tests.support.desired_states import make_action
from tests.support.guarding import NOW
from tests.support.ticketing import make_incident

TARGET = "clinic/frontdesk"
BY_ITSELF = {"cooldown", "tokens", "mutex"}


def answer(*stops: Verdict, **changes: object) -> Answer:
    fields: dict[str, object] = {
        "rule": "time[a]",
        "check": "LNX-TIME-001",
        "severity": "high",
        "incident": None,
        "action": make_action(),
        "unplanned": None,
        "stops": stops,
    }
    return Answer(**(fields | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("guard", [g.name for g in GUARDS if g.name not in BY_ITSELF])
def test_every_guard_says_who_must_do_what(guard: str) -> None:
    [text] = needed(answer(Verdict("deny", guard, "because")), TARGET)
    assert "{" not in text
    assert text.endswith((".", "YOU", "--write", "time"))


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("never: people do this", "People do this; follow the procedure in runbooks/RB-TIME-001"),
        ("waits for a maintenance window, and none is in sight", "No window opens"),
        ("needs two people: approvals/…", "two people say so"),
        ("needs a person: approvals/…", "reconciler approve RB-TIME-001 --host clinic/frontdesk"),
    ],
)
def test_an_approval_says_which_kind(reason: str, told: str) -> None:
    [text] = needed(answer(Verdict("deny", "approval", reason)), TARGET)
    assert told in text


def test_what_a_client_denies_is_not_to_be_pinned() -> None:
    [text] = needed(answer(Verdict("deny", "allow_list", "the client denies RB-TIME-001")), TARGET)
    assert "denied_runbooks in hosts/clinic/client.yaml" in text
    assert "--write-approved" not in text


@pytest.mark.parametrize("reason", ["observe", "no-remedy", "conflict", "bad-parameters"])
def test_what_is_not_planned_is_a_persons(reason: str) -> None:
    left = Unplanned("time", reason)  # type: ignore[arg-type]
    [text] = needed(answer(action=None, unplanned=left), TARGET)
    assert text


def test_a_fix_that_does_not_hold_is_a_persons_whether_or_not_a_runbook_answers_it() -> None:
    keeps_coming = make_incident(state="escalated", reason="does-not-hold")
    for planned in (
        {"action": None, "unplanned": Unplanned("time", "no-remedy")},
        {"runs_at": NOW},
    ):
        [text] = needed(answer(incident=keeps_coming, **planned), TARGET)
        assert "puts the fault back" in text


def test_what_time_ends_needs_nobody_and_can_be_had_sooner() -> None:
    waits = (Verdict("defer", "freeze", "frozen", 60),)
    found = answer(runs_at=NOW, verdicts=waits)
    assert needed(found, TARGET) == ()
    assert sooner(found, TARGET) == (
        "reconciler approve RB-TIME-001 --host clinic/frontdesk --emergency --as YOU"
    )
    assert sooner(answer(runs_at=NOW, verdicts=(Verdict("allow", "freeze"),)), TARGET) is None
    assert sooner(answer(runs_at=None, verdicts=waits), TARGET) is None
