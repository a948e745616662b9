"""Incidents in words: every state and reason has some, and a run is not drowned in them."""

from datetime import UTC, datetime
from typing import Any

from reconciler.guard.gate import GUARDS
from reconciler.model.incident import NEXT, Incident
from reconciler.report.incident_list import MOST, as_document, brief, render
from reconciler.report.incident_words import REASONS, STATES, line, where

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def make_incident(rule: str = "time", **changes: Any) -> Incident:
    fields: dict[str, Any] = {
        "id": "0123456789ab-1",
        "fingerprint": "0123456789ab" + "0" * 52,
        "rule": rule,
        "check": "LNX-TIME-001",
        "target": "clinic/frontdesk",
        "source": "check",
        "severity": "high",
        "controls": (),
        "state": "waiting",
        "since": AT,
        "reason": "tokens",
        "opened": AT,
        "occurrence": 1,
        "recurrences": 0,
        "tier": "L1",
        "runbook": "RB-TIME-001",
        "asked": 0,
        "until": AT.replace(hour=10),
    }
    return Incident(**(fields | changes))


def test_every_state_and_every_guard_has_words() -> None:
    assert set(STATES) == set(NEXT)
    assert {guard.name for guard in GUARDS} - {"flap"} <= set(REASONS), "flap is does-not-hold"


def test_a_line_says_where_why_since_when_and_until_when() -> None:
    assert line(make_incident(recurrences=2)) == (
        "incident 0123456789ab-1 time (high, came back 2 times): waits: as many actions have begun"
        " as may for now (tokens) since 2026-03-02 09:00 UTC, until 2026-03-02 10:00 UTC"
    )
    assert "until" not in line(make_incident(until=None))


def test_what_this_version_does_not_know_is_shown_as_it_is_without_control_characters() -> None:
    assert where("dreaming", "because\x1b[31m") == "dreaming: because?[31m (because?[31m)"


def test_what_is_only_observed_is_one_line_of_a_run() -> None:
    observed = [make_incident(f"rule-{n}", reason="mode", until=None) for n in range(MOST + 2)]

    lines = brief([*observed, make_incident()])

    assert lines[0] == line(make_incident())
    assert lines[1].startswith("10 incidents are only observed, as people chose: rule-0, rule-1,")
    assert lines[1].endswith("rule-7, … (reconciler incidents)")
    assert len(lines) == 2
    assert brief(observed[:1]) == [line(observed[0])]
    assert brief([]) == []


def test_a_list_has_them_all_and_what_is_over() -> None:
    text = render(
        "clinic/frontdesk", [make_incident()], [("0123456789ab-1", "time", "closed", "x")]
    )

    assert text.splitlines()[0] == "clinic/frontdesk: 1 open incidents"
    assert text.splitlines()[-1] == "  incident 0123456789ab-1 time: closed x"
    assert as_document(make_incident())["until"] == "2026-03-02T10:00:00.000Z"
