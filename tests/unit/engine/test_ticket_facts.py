"""What a ticket says of a machine was scrubbed as evidence is, before it is written anywhere."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from reconciler.engine.tickets.facts import SOMEBODY, History, facts_of
from reconciler.model.plan import Plan, Unplanned
from reconciler.model.quotable import NOTHING
from reconciler.model.run import NotDone
from reconciler.model.verdict import Verdict
from reconciler.report import ticket
from tests.support.desired_states import (
    make_action,
    make_desired,
    make_finding,
    make_runbook,
    pin,
)
from tests.support.ticketing import NOW, make_incident

PATIENT = "Maria Gonzalez"


def make_session(entries: list[Any] = []) -> Any:  # noqa: B006 - never changed
    tip = SimpleNamespace(
        commit="f" * 40, entry=SimpleNamespace(seq=9, kind=SimpleNamespace(value="run"))
    )
    ledger = SimpleNamespace(
        entries=lambda newest_first: iter(entries), head=SimpleNamespace(tip=tip)
    )
    return SimpleNamespace(
        own=NOTHING,
        facts=SimpleNamespace(at=NOW),
        appliance=SimpleNamespace(ledger=ledger),
    )


def make_report(**changes: Any) -> Any:
    finding = make_finding(
        observed={"mounts": (f"/media/{PATIENT}",), "note": "born 1950-03-04"},
        expected={"mounts": "empty", "note": "empty"},
        failed=("mounts", "note"),
        reason=f"the file of {PATIENT} is locked",
    )
    fields: dict[str, Any] = {
        "findings": (finding,),
        "not_done": (),
        "plan": Plan((), (), "d" * 64),
        "seq": 7,
        "commit": "e" * 40,
    }
    return SimpleNamespace(**(fields | changes))


def facts(report: Any, session: Any = None, **changes: Any) -> ticket.Facts:
    incident = make_incident(**({"reason": "allow_list"} | changes))
    session = session or make_session()
    runbook = make_runbook(mode="approve")
    desired = replace(make_desired(runbooks=[pin(runbook)]), plan_digest="b" * 64)
    history = History(session, NOW)
    return facts_of(session, report, desired, incident, "opened", 0, history)


def test_nothing_that_may_name_a_patient_leaves_the_machine() -> None:
    said = (f"precheck: the file of {PATIENT} is open", f"no runbook for {PATIENT}")
    action = make_action(rules=("time",))
    denied = make_report(not_done=(NotDone(action, "denied", Verdict("deny", "x", said[0])),))
    left = make_report(plan=Plan((), (Unplanned("time", "no-remedy", said[1]),), "d" * 64))

    for found in (facts(denied), facts(left)):
        whole = "".join(
            (
                ticket.title(found),
                ticket.markdown(found),
                ticket.text(found),
                json.dumps(ticket.as_document(found)),
            )
        )
        assert found.stopped
        for word in ("Maria", "Gonzalez", "1950"):
            assert word not in whole


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({"state": "awaiting_approval", "reason": "approval", "runbook": "RB-TIME-001"}, True),
        ({"reason": "approval-expired", "runbook": "RB-TIME-001"}, True),
        ({"reason": "allow_list", "runbook": "RB-TIME-001"}, False),
        ({"reason": "approval", "runbook": "RB-GONE-001"}, False),
        ({"reason": "approval", "runbook": None}, False),
    ],
)
def test_an_approval_is_proposed_where_one_would_help(changes: Any, shown: bool) -> None:
    found = facts(make_report(), **changes)

    assert (found.approval is not None) is shown
    if found.approval is not None:
        path, text = found.approval
        assert path == f"approvals/clinic/incident-{found.incident.fingerprint[:12]}.yaml"
        assert f"frontdesk: sha256:{'b' * 64}" in text
        assert f"RB-TIME-001: sha256:{'a' * 64}" in text
        assert SOMEBODY in text


def test_evidence_is_the_run_or_the_newest_entry_while_it_waits() -> None:
    assert facts(make_report()).evidence == ((7, "run", "e" * 40),)
    assert facts(make_report(seq=None, commit=None)).evidence == ((9, "run", "f" * 40),)


def record(seq: int, kind: str, body: Any, closes: int | None = None) -> Any:
    at = datetime(2026, 3, 2, 9, seq, tzinfo=UTC)
    entry = SimpleNamespace(
        seq=seq,
        kind=SimpleNamespace(value=kind),
        body=body,
        time=at,
        recorded_at=at.isoformat(),
        closes=None if closes is None else SimpleNamespace(seq=closes),
    )
    return SimpleNamespace(entry=entry, commit=f"{seq:040x}")


def test_what_was_tried_for_the_rule_is_told_with_how_each_step_went() -> None:
    action = {"rules": ["time"], "runbook": "RB-TIME-001", "tier": "L1"}
    steps = [
        {"id": "stop", "kind": "unit.stop", "results": [{"ok": True, "reason": ""}]},
        {"id": "start", "kind": "unit.start", "results": [{"ok": False, "reason": "no unit"}]},
    ]
    ended = {"result": "rolled_back", "reason": "why", "rollback": "verified", "steps": steps}
    newest_first = [
        record(6, "intent", {"action": action}),
        record(5, "intent", {"action": action | {"rules": ["other"]}}),
        record(4, "outcome", ended, closes=3),
        record(3, "intent", {"action": action}),
    ]
    found = facts(make_report(), make_session(newest_first))

    first, second = found.tried
    assert (first.intent, first.outcome, first.result) == (3, 4, "rolled_back")
    assert first.steps == ("stop (unit.stop): done", "start (unit.start): failed, no unit")
    assert (second.intent, second.outcome, second.result) == (6, None, "open")
    assert [seq for seq, _, _ in found.evidence] == [4, 6, 7]
