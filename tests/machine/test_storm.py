"""A week of trouble in a real guest: the engine as it is, a ledger on the disk, and a fake clock.

Real: every run from pull to signed entry, all guards, incidents, questions and budgets, and for
four kinds of drift (a crashed service, a file's mode, a file's owner, a kernel parameter) the
drift, the look and the fix. Synthetic: time; for all other rules of the baseline the look and the
fix; and the language model, which chooses at random. See `tests.support.storm_in_guest`. The hosts
of the fleet breaker are four appliances in the one guest, in real time, by the command line alone.
"""

import json
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from reconciler.cli import execute
from reconciler.evidence.record import Record
from reconciler.report.simulation import Tally
from tests.support.guest import Guest
from tests.support.storm_in_guest import REAL, REVERTED
from tests.support.storm_site import DESKS, QUESTIONS_A_DAY, StormPractice, StormSite
from tests.support.storms import too_soon, unexplained

pytestmark = pytest.mark.machine

_HOUR = 60


def told_by(records: Sequence[Record]) -> Tally:
    tally = Tally()
    for entry in (record.entry for record in records if not record.entry.slim):
        tally.add(entry.kind.value, entry.body, entry.recorded_at)
    return tally


def moves(records: Sequence[Record]) -> list[Mapping[str, Any]]:
    return [move for record in records for move in record.entry.body.get("incidents", ())]


def healed_rules(records: Sequence[Record]) -> set[str]:
    outcomes = [r.entry.body for r in records if r.entry.body.get("result") == "healed"]
    return {rule for body in outcomes for rule in body["rules"]}


def test_a_storm_of_a_week_ends_with_every_incident_explained(shared_guest: Guest) -> None:
    site = StormSite(shared_guest, "storm")
    dice = random.Random(7)
    # Two runs a few minutes apart, every three hours: cooldowns, budgets and soaks all speak.
    starts = range(0, 7 * 24 * _HOUR, 3 * _HOUR)
    runs = [minute for start in starts for minute in (start, start + dice.choice((5, 10, 15)))]

    told = site.weather(runs=runs, drifts=2600, real=30, seed=5)

    records = site.records()
    tally, opened = told_by(records), [m for m in moves(records) if m["from"] is None]
    assert len(opened) == len(tally.incidents) >= 1000
    assert len({move["check"] for move in opened}) >= 30
    assert unexplained(tally) == {}
    assert too_soon(records) == []
    asked = [r.entry.body for r in records if r.entry.kind.value == "advice"]
    questions = [body for body in asked if body["phase"] == "asked"]
    assert 0 < len(questions) == told["asked"] <= 7 * QUESTIONS_A_DAY
    assert max(Counter(body["incident"] for body in questions).values()) <= 2
    healed = healed_rules(records)
    assert len(healed & REAL.keys()) >= 2, "real drift was healed for real, of several kinds"
    assert len(told["injected"]) == 30
    assert tally.results.keys() >= {"healed", "rolled_back", "failed"}
    site.verify()


def test_a_reverter_is_damped_at_the_third_recurrence(shared_guest: Guest) -> None:
    """As a group policy: every 90 to 120 minutes a file is opened to everybody, fixed or not."""
    site = StormSite(shared_guest, "reverter")
    dice, at, times = random.Random(3), 2, list[int]()
    while len(times) < 8:
        times.append(at)
        at += dice.randrange(90, 121)
    # A run soon after each time, and five minutes later another one, which must not act either.
    runs = [minute for time in times for minute in (time + 3, time + 8)]

    site.weather(runs=runs, reverts=times, seed=0)

    records = site.records()
    mine = [move for move in moves(records) if move["rule"] == REVERTED]
    acts = [r.entry for r in records if r.entry.kind.value == "intent"
            and REVERTED in r.entry.body["action"]["rules"]]  # fmt: skip
    back = [datetime.fromisoformat(move["at"]) for move in mine if move["from"] is None]
    pairs = zip(acts, back, strict=False)
    assert all(abs(act.time - seen) < timedelta(minutes=1) for act, seen in pairs)
    assert len(acts) == 3, "the first fix, and two recurrences"
    third = next(move for move in mine if move.get("recurrences") == 3)
    held = next(move for move in mine if move["reason"] == "does-not-hold")
    assert held["to"] == "escalated"
    assert (held["id"], held["at"][:16]) == (third["id"], third["at"][:16])
    mode = shared_guest.run("stat", "-c", "%a", "/etc/restic/nightly.password").stdout
    assert mode == "644\n", "nobody closes it again meanwhile"
    assert too_soon(records) == []
    site.verify()


def test_a_bad_version_of_a_runbook_stops_after_three_hosts(
    shared_guest: Guest, capsys: pytest.CaptureFixture[str]
) -> None:
    practice = StormPractice(shared_guest)
    shared_guest.run("chmod", "0644", "/etc/restic/nightly.password")
    for desk in DESKS[:3]:
        (outcome,) = practice.run(desk)["outcomes"]
        assert (outcome["runbook"], outcome["result"]) == ("RB-FILE-001", "rolled_back")

    capsys.readouterr()
    assert execute(["guard", "fleet", *practice.evidence(), "--write", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert "RB-FILE-001" in json.dumps(said)
    practice.site.commit("Switch the bad version off")

    last = practice.run(DESKS[3])
    assert last["outcomes"] == []
    (left,) = last["not_done"]
    assert (left["runbook"], left["guard"]) == ("RB-FILE-001", "fleet_breaker")
