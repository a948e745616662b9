"""What a person reads of the desired state of a run."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from reconciler.errors import ExitCode
from reconciler.evidence import canonical
from reconciler.evidence.bodies import intent_status_body
from reconciler.model.run import Acceptance, Agreed, Freshness, Hold, IntentStatus, Recovered
from reconciler.report import intent as report
from tests.unit.report.test_run import REPORT

SINCE = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
WELL = IntentStatus(commit="c" * 40, counter=3, fetched=True)
STALE = Hold("stale", "the newest heartbeat is 30 h old", "Let CI sign one.", SINCE)
REVOKED = Hold(
    "revoked-content",
    "a revoked key wrote what is in force",
    "Approve it.",
    SINCE,
    tuple(f"runbooks/RB-X-{number:03}.yaml" for number in range(10)),
)
ACCEPTANCE = Acceptance(
    previous="b" * 40,
    signer="alice@msp.example",
    commits=2,
    agreed=(Agreed("trust", "e" * 40, ("bob",)), Agreed("rest", "f" * 40, ("carol", "bob"))),
    recovery=Recovered("d" * 64, SINCE, ("alice", "bob")),
)
NEW = replace(WELL, acceptance=ACCEPTANCE, freshness=Freshness(3600, 93_600, 7, "c" * 40))
HELD = replace(WELL, holds=(STALE, REVOKED))


def test_nothing_is_said_where_all_is_well_and_nothing_is_promised() -> None:
    assert report.lines(WELL) == []
    assert report.summary(WELL) == ""


def test_a_hold_says_since_when_what_and_what_is_needed() -> None:
    text = "\n".join(report.lines(HELD))

    assert "HELD (stale) since 2026-03-02 09:00 UTC: the newest heartbeat is 30 h old" in text
    assert "nothing acts on this machine" in text
    assert "needed: Let CI sign one." in text
    assert "in question: runbooks/RB-X-007.yaml" in text
    assert "in question: 2 more" in text
    assert report.summary(HELD) == "held: stale, revoked-content"


def test_an_acceptance_says_who_signed_approved_and_recovered() -> None:
    text = "\n".join(report.lines(NEW))

    assert "2 new commit(s), newest signed by alice@msp.example, approved by bob, carol" in text
    assert "by a recovery that alice, bob signed, statement " + "d" * 64 in text
    assert "newest heartbeat: number 7, 60 min old (limit 26 h)" in text


@pytest.mark.parametrize(
    ("freshness", "said"),
    [
        (Freshness(None, 3600, None, None), ["newest heartbeat: none was ever valid (limit 1 h)"]),
        (Freshness(60, None, 2, "c"), ["newest heartbeat: number 2, 1 min old (no limit)"]),
        (Freshness(None, None, None, None), []),
    ],
)
def test_freshness_is_said_where_it_is_promised_or_known(
    freshness: Freshness, said: list[str]
) -> None:
    assert report.lines(replace(WELL, freshness=freshness)) == said


def test_held_is_exit_code_4_whatever_else_is_wrong() -> None:
    invalid = replace(HELD, refused="policy-invalid", exit_code=ExitCode.INPUT)
    unreached = replace(HELD, fetched=False, refused="unreachable", exit_code=ExitCode.MACHINE)

    for status in (HELD, invalid, unreached):
        assert replace(REPORT, intent=status).exit_code is ExitCode.REFUSED


def test_what_is_for_machines_and_evidence_is_whole() -> None:
    document = report.as_document(replace(NEW, holds=(REVOKED,)))

    assert document["hold"] == "revoked-content"
    assert len(document["holds"][0]["paths"]) == 10
    assert document["acceptance"]["recovery"]["people"] == ("alice", "bob")
    assert document["freshness"]["limit_s"] == 93_600

    body = intent_status_body(replace(NEW, holds=(STALE, REVOKED)))
    assert canonical.encode(body)
    assert [hold["reason"] for hold in body["holds"]] == ["stale", "revoked-content"]
    assert body["acceptance"]["agreed"][0] == {
        "rule": "trust",
        "commit": "e" * 40,
        "people": ["bob"],
    }
    assert body["acceptance"]["recovery"]["sha256"] == "d" * 64
    assert body["freshness_limit_s"] == 93_600
    assert "acceptance" not in intent_status_body(WELL)
