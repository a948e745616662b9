"""How long ago a heartbeat was first seen: counted by a clock that nobody can set."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.engine.trusted.standing import Reading, Sight, Standing
from reconciler.errors import LedgerDamaged
from reconciler.evidence.entry import Clock, Entry, Kind, stamp
from reconciler.evidence.merkle import Frontier
from reconciler.model.run import Recovered

START = datetime(2026, 3, 1, tzinfo=UTC)
DIGEST, OTHER = "d" * 64, "e" * 64
SIGHT = Sight(7, "c" * 40, START, DIGEST, "ci")
RECOVERY = Recovered(OTHER, START, ("alice", "bob"))
HOUR = 3600


def reading(wall_s: float, up_s: int, boot: str | None = "one") -> Reading:
    return Reading(START + timedelta(seconds=wall_s), up_s, boot)


def seen(wall_s: float = 0, up_s: int = 1000) -> Standing:
    return Standing().at(reading(wall_s, up_s)).seeing(SIGHT)


def entry(kind: Kind, body: dict[str, Any], *, slim: bool = False, up_s: int = 1000) -> Entry:
    return Entry(
        kind=kind,
        seq=3,
        previous="a" * 64,
        ref="refs/heads/elm/desk",
        client="elm",
        host="desk",
        recorded_at=stamp(START + timedelta(seconds=up_s - 1000)),
        clock=Clock("kernel", True, 0, up_s, 0),
        base=2 if slim else None,
        boot_id=None if slim else "one",
        tool={},
        subject=None,
        log=None if slim else Frontier.empty(),
        closes=None,
        open=(),
        body=body,
    )


def seconds(standing: Standing) -> int:
    assert standing.sight is not None
    return standing.sight.seen_s


def test_within_a_boot_a_wall_clock_that_is_held_back_changes_nothing() -> None:
    held_back = seen().at(reading(-HOUR, 1000 + 5 * HOUR))

    assert seconds(held_back) == 5 * HOUR
    assert held_back.sight is not None
    assert held_back.sight.age_s(START - timedelta(hours=1)) == 5 * HOUR


def test_a_wall_clock_that_is_ahead_makes_it_older() -> None:
    assert SIGHT.age_s(START + timedelta(days=2)) == 2 * 24 * HOUR


@pytest.mark.parametrize(
    ("wall_s", "up_s", "expected"),
    [
        (3 * HOUR, 600, 3 * HOUR),  # off for most of three hours
        (-10 * HOUR, 600, 600),  # the clock was set back before the boot
        (60, 2 * HOUR, 2 * HOUR),  # it stood still and the machine ran for two hours
    ],
)
def test_across_boots_it_is_at_least_the_uptime_and_what_the_wall_clock_shows(
    wall_s: int, up_s: int, expected: int
) -> None:
    assert seconds(seen().at(reading(wall_s, up_s, "two"))) == expected


@pytest.mark.parametrize("boot", [None, ""])
def test_a_boot_that_is_not_known_shortens_nothing(boot: str | None) -> None:
    assert seconds(seen().at(reading(0, 1000 + HOUR, boot))) == HOUR
    assert seconds(seen().at(reading(HOUR, 10, boot))) == HOUR


@given(
    st.lists(
        st.tuples(
            st.integers(1, 10_000),
            st.integers(-20_000, 20_000),
            st.integers(0, 5000),
            st.booleans(),
        ),
        max_size=20,
    )
)
def test_no_setting_of_the_clock_makes_it_younger_than_the_time_that_the_machine_ran(
    steps: list[tuple[int, int, int, bool]],
) -> None:
    standing, wall, up, boot, ran = seen(), 0.0, 1000, 0, 0
    for runs_s, set_by_s, off_s, reboots in steps:
        wall += runs_s + set_by_s
        up += runs_s
        ran += runs_s
        if reboots:
            wall, up, boot = wall + off_s, runs_s, boot + 1
        standing = standing.at(reading(wall, up, f"boot-{boot}"))

    assert seconds(standing) >= ran


def test_only_a_higher_number_is_a_newer_heartbeat() -> None:
    later = seen().at(reading(HOUR, 1000 + HOUR))
    same = Sight(7, "f" * 40, START + timedelta(hours=1), OTHER, "ci")
    newer = Sight(8, "f" * 40, START + timedelta(hours=1), OTHER, "ci")

    assert later.seeing(same) == later
    assert later.seeing(Sight(6, "f" * 40, START, OTHER, "ci")) == later
    assert later.seeing(newer).sight == newer
    assert seconds(later.seeing(newer)) == 0


def test_what_a_full_run_carries_is_what_was_known() -> None:
    known = Standing(sight=SIGHT, recovery=RECOVERY, held={"stale": START + timedelta(hours=1)}).at(
        reading(0, 1000)
    )
    body = {"standing": known.to_body()}

    read = Standing().after(entry(Kind.RUN, body), "one")

    assert (read.sight, read.recovery, read.held) == (known.sight, known.recovery, known.held)
    assert read.reading == known.reading
    assert read.recorded == known.sight


def test_a_slim_run_says_only_a_heartbeat_that_is_news_and_loses_no_time() -> None:
    known = seen()
    said = known.news()
    assert known.news_due(HOUR)

    read = Standing().after(entry(Kind.RUN, {"like": 2} | said, slim=True), "one")
    later = read.after(entry(Kind.RUN, {"like": 2}, slim=True, up_s=1000 + 2 * HOUR), "one")

    assert later.sight is not None
    assert later.sight.counter == 7
    assert seconds(later) == 2 * HOUR
    assert later.news() == {}
    assert not later.news_due(0)


def test_news_wait_until_what_a_restart_would_remember_is_old() -> None:
    recorded = seen().after(entry(Kind.RUN, {"standing": seen().to_body()}), "one")
    newer = recorded.seeing(Sight(8, "f" * 40, START, OTHER, "ci"))

    assert newer.news()["heartbeat"]["counter"] == 8
    assert not newer.at(reading(HOUR, 999 + HOUR)).news_due(HOUR)
    assert newer.at(reading(HOUR, 1000 + HOUR)).news_due(HOUR)
    assert newer.news_due(0), "where each run is signed, it costs nothing"


def test_an_older_ledger_carried_nothing_and_nothing_was_seen() -> None:
    standing = Standing().after(entry(Kind.RUN, {"findings": []}), "one")

    assert (standing.sight, standing.recovery, standing.held) == (None, None, {})
    assert Standing.from_body(None) == Standing()


def test_a_recovery_is_known_from_the_first_intent_under_it() -> None:
    body = {"recovery": {"sha256": OTHER, "issued": stamp(START), "people": ["alice", "bob"]}}

    assert Standing().after(entry(Kind.INTENT, body), "one").recovery == RECOVERY
    assert Standing().after(entry(Kind.INTENT, {}), "one").recovery is None


def test_a_recovery_lets_counting_begin_anew() -> None:
    body = {"recovery": {"sha256": OTHER, "issued": stamp(START), "people": ["alice", "bob"]}}
    anew = seen().after(entry(Kind.INTENT, body), "one")

    assert (anew.sight, anew.recorded, anew.recovery) == (None, None, RECOVERY)
    known = anew.seeing(SIGHT)
    assert known.after(entry(Kind.INTENT, body), "one").sight == SIGHT, "not a second time"
    assert anew.seeing(Sight(1, "f" * 40, START, OTHER, "ci")).sight is not None


def test_a_hold_is_known_from_its_refusal_and_since_its_first() -> None:
    first = entry(Kind.REFUSAL, {"reason": "stale", "held": True})
    again = entry(Kind.REFUSAL, {"reason": "stale", "held": True}, up_s=2000)
    other = entry(Kind.REFUSAL, {"reason": "unsigned"})
    standing = Standing().after(first, "one").after(again, "one").after(other, "one")

    assert standing.held == {"stale": START}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"heartbeat": None, "recovery": None},
        {"heartbeat": {"counter": 7}, "recovery": None, "held": {}},
        {"heartbeat": None, "recovery": {"sha256": "x", "issued": "", "people": []}, "held": {}},
        {"heartbeat": None, "recovery": None, "held": {"stale": "2026-03-01T00:00:00"}},
        {"heartbeat": None, "recovery": None, "held": {"stale": 7}},
    ],
)
def test_what_does_not_read_is_damage_and_no_fresh_start(body: object) -> None:
    with pytest.raises(LedgerDamaged, match="garbled"):
        Standing().after(entry(Kind.RUN, {"standing": body}), "one")


def test_a_slim_run_with_a_garbled_heartbeat_is_damage() -> None:
    with pytest.raises(LedgerDamaged, match="garbled"):
        Standing().after(entry(Kind.RUN, {"heartbeat": {"counter": "7"}}, slim=True), "one")
