"""What the engine knows about itself."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from reconciler.engine.introspect import Declared, Introspection, LedgerWatch
from reconciler.errors import ExitCode
from reconciler.ledger.store import Ledger
from reconciler.model.run import Hold, IntentStatus
from tests.support.scanning import SYSTEM, read, report, vulnerability

START = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


def knowing(times: list[datetime]) -> Introspection:
    status = IntentStatus(
        commit=None, counter=0, fetched=True, refused=None, exit_code=ExitCode.CLEAN
    )
    return Introspection(
        watch=LedgerWatch(cast(Ledger, None)),
        open_intents=0,
        newest_at=START,
        status=status,
        reached_at=START - timedelta(hours=1),
        now=lambda: times.pop(0),
        target="elm-street/desk",
        root=True,
    )


def said(answers: Introspection, topic: str) -> dict[str, Any]:
    answer = answers(topic)
    assert answer.status == "ok"
    return dict(answer.data)


def test_the_second_look_has_a_time_of_its_own() -> None:
    # A certificate that the run itself renewed is not valid yet at the time the run began.
    answers = knowing([START, START + timedelta(seconds=7)])
    first, second = said(answers, "now"), said(answers, "now")
    assert second["unix_s"] - first["unix_s"] == 7


def test_age_of_the_desired_state_is_counted_from_when_the_fleet_was_reached() -> None:
    assert said(knowing([START]), "intent")["age_s"] == 3600


def test_a_state_that_is_held_is_not_trusted_whatever_else_is_well() -> None:
    well, held = knowing([START]), knowing([START])
    hold = Hold("stale", "the newest heartbeat is old", "Sign one.", START)
    held.status = replace(held.status, holds=(hold,))

    assert said(well, "intent")["trusted"] is True
    answer = said(held, "intent")
    assert (answer["trusted"], answer["reason"]) == (False, "stale")


def test_a_topic_that_nobody_knows_is_not_answered() -> None:
    assert knowing([START])("weather").status == "unsupported"


def test_a_report_of_a_scan_is_what_the_fleet_has_and_nothing_else() -> None:
    known = read(report(vulnerability("CVE-2026-10001")))
    assert knowing([START])("vulnerabilities").status == "absent"
    answers = replace(knowing([START]), declared=Declared(vulnerabilities=known))
    answer = said(answers, "vulnerabilities")
    assert (answer["scanned"], answer["system"]) == ("2026-11-01", SYSTEM)
    assert [one["id"] for one in answer["open"]] == ["CVE-2026-10001"]
