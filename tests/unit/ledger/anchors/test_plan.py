from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.ledger.anchors.model import BITCOIN, Anchor, AnchorState, CheckpointRef, Method
from reconciler.ledger.anchors.plan import (
    MAX_UPGRADES,
    Alarm,
    Anchored,
    Checkpoint,
    LedgerView,
    Pace,
    Stamp,
    Upgrade,
    Way,
    Work,
    due,
)

START = datetime(2026, 3, 1, tzinfo=UTC)
OTS = Way(Method.OPENTIMESTAMPS, BITCOIN)
ALPHA = Way(Method.RFC3161, "alpha")
BETA = Way(Method.RFC3161, "beta")
PACE = Pace()
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def checkpoint(number: int) -> Checkpoint:
    return Checkpoint(CheckpointRef(number, "a" * 64), b"note %d" % number)


def anchored(
    way: Way, number: int, at: datetime, seq: int = 1, *, complete: bool = True
) -> Anchored:
    state = AnchorState.COMPLETE if complete else AnchorState.PENDING
    of = checkpoint(number)
    anchor = Anchor(way.method, of.ref, of.note_sha256, way.authority, state, b"proof")
    return Anchored(seq, at, anchor)


def view(
    *anchors: Anchored,
    newest: int | None = 9,
    since: datetime = START,
    tried: dict[str, datetime] | None = None,
) -> LedgerView:
    return LedgerView(None if newest is None else checkpoint(newest), anchors, since, tried or {})


def plan(seen: LedgerView, ways: tuple[Way, ...], now: datetime) -> list[Work]:
    return due(seen, ways, now, PACE)


def alarms(work: list[Work]) -> list[Alarm]:
    return [item for item in work if isinstance(item, Alarm)]


def test_a_new_ledger_stamps_its_checkpoint_by_every_way_at_once() -> None:
    work = plan(view(), (OTS, ALPHA, BETA), START)
    assert work == [Stamp(way, checkpoint(9)) for way in (OTS, ALPHA, BETA)]


def test_every_way_is_kept_going_for_itself() -> None:
    seen = view(anchored(OTS, 8, START + DAY), anchored(ALPHA, 8, START))
    work = plan(seen, (OTS, ALPHA, BETA), START + DAY)
    assert work == [Stamp(ALPHA, checkpoint(9)), Stamp(BETA, checkpoint(9))]


def test_stamps_come_daily_and_never_twice_for_a_checkpoint() -> None:
    seen = view(anchored(ALPHA, 8, START))
    assert plan(seen, (ALPHA,), START + DAY - MINUTE) == []
    assert plan(seen, (ALPHA,), START + DAY) == [Stamp(ALPHA, checkpoint(9))]
    assert plan(view(anchored(ALPHA, 9, START)), (ALPHA,), START + DAY) == []


def test_what_was_just_tried_rests() -> None:
    tried = {Stamp(ALPHA, checkpoint(9)).key: START}
    seen = view(tried=tried)
    assert plan(seen, (ALPHA, BETA), START + 14 * MINUTE) == [Stamp(BETA, checkpoint(9))]
    assert len(plan(seen, (ALPHA, BETA), START + 15 * MINUTE)) == 2


def test_a_pending_proof_is_asked_about_after_a_pause_that_grows_with_its_age() -> None:
    pending = anchored(OTS, 9, START, complete=False)
    work = [Upgrade(pending)]
    assert plan(view(pending), (OTS,), START + 14 * MINUTE) == []
    assert plan(view(pending), (OTS,), START + 15 * MINUTE) == work
    for age, pause in ((HOUR, 15 * MINUTE), (8 * HOUR, 2 * HOUR), (20 * DAY, DAY)):
        now = START + age
        for rested, expected in ((pause - MINUTE, []), (pause, work)):
            seen = view(pending, tried={work[0].key: now - rested})
            got = [item for item in plan(seen, (OTS,), now) if isinstance(item, Upgrade)]
            assert got == expected, (age, rested)


def test_a_proof_that_came_whole_is_not_asked_about_again() -> None:
    seen = view(
        anchored(OTS, 9, START, 1, complete=False), anchored(OTS, 9, START + HOUR, 2), newest=9
    )
    assert plan(seen, (OTS,), START + DAY) == []


def test_the_completion_of_a_proof_does_not_put_off_the_next_one() -> None:
    seen = view(anchored(OTS, 8, START, 1, complete=False), anchored(OTS, 8, START + 20 * HOUR, 2))
    assert plan(seen, (OTS,), START + DAY) == [Stamp(OTS, checkpoint(9))]


def test_few_upgrades_at_a_time_and_the_longest_untried_first() -> None:
    many = [anchored(OTS, n, START + n * MINUTE, n, complete=False) for n in range(1, 21)]
    now = START + 2 * DAY
    tried = {Upgrade(entry).key: now - DAY + entry.seq * MINUTE for entry in many[:15]}
    work = plan(view(*many, tried=tried), (OTS,), now)
    upgrades = [item for item in work if isinstance(item, Upgrade)]
    assert [item.entry.seq for item in upgrades] == [16, 17, 18, 19, 20, 1, 2, 3]
    assert len(upgrades) == MAX_UPGRADES


@pytest.mark.parametrize(
    "seen",
    [
        view(newest=None),
        view(newest=9),
        view(anchored(OTS, 8, START + DAY, complete=False)),
        view(anchored(ALPHA, 8, START + DAY)),
    ],
    ids=["no checkpoint", "no anchor", "pending only", "another way only"],
)
def test_nothing_whole_for_days_is_an_alarm_whatever_the_reason(seen: LedgerView) -> None:
    assert alarms(plan(seen, (OTS,), START + 3 * DAY)) == []
    (alarm,) = alarms(plan(seen, (OTS,), START + 3 * DAY + MINUTE))
    assert alarm == Alarm(OTS, "no whole proof has come since 2026-03-01T00:00:00Z, 3 days ago")


def test_a_way_that_stopped_is_an_alarm_with_its_age() -> None:
    seen = view(anchored(ALPHA, 8, START + DAY), anchored(BETA, 9, START + 30 * DAY))
    work = plan(seen, (ALPHA, BETA), START + 31 * DAY)
    message = "the last whole proof came 2026-03-02T00:00:00Z, 30 days ago"
    assert work == [Alarm(ALPHA, message), Stamp(ALPHA, checkpoint(9))]


def test_a_proof_that_stays_pending_is_an_alarm_beside_whole_ones_until_it_is_given_up() -> None:
    stuck = anchored(OTS, 1, START, 5, complete=False)
    whole = [anchored(OTS, 1 + n, START + n * DAY, 5 + n) for n in range(1, 40)]
    seen = view(stuck, *whole)
    message = "proofs that stay pending: 1, the oldest is entry 5 of 2026-03-01T00:00:00Z"
    assert alarms(plan(seen, (OTS,), START + 3 * DAY)) == []
    assert alarms(plan(seen, (OTS,), START + 4 * DAY)) == [Alarm(OTS, message)]
    assert Upgrade(stuck) in plan(seen, (OTS,), START + 29 * DAY)
    left = plan(seen, (OTS,), START + 30 * DAY)
    assert not any(isinstance(item, Alarm | Upgrade) for item in left)


def test_ways_that_are_not_wanted_are_left_alone() -> None:
    seen = view(anchored(OTS, 8, START, complete=False), newest=None)
    assert plan(seen, (), START + 30 * DAY) == []
    assert plan(view(), (), START) == []


@given(
    st.lists(
        st.tuples(
            st.sampled_from((OTS, ALPHA)), st.integers(1, 6), st.integers(0, 9_000), st.booleans()
        ),
        max_size=12,
    ),
    st.integers(0, 20_000),
)
def test_a_way_is_fresh_or_stamped_or_an_alarm(
    entries: list[tuple[Way, int, int, bool]], minutes: int
) -> None:
    entries.sort(key=lambda entry: entry[2])
    now = START + minutes * MINUTE
    seen = view(
        *(
            anchored(way, number, START + at * MINUTE, seq, complete=complete)
            for seq, (way, number, at, complete) in enumerate(entries)
            if at <= minutes
        ),
        newest=7,
    )
    work = plan(seen, (OTS, ALPHA), now)
    for way in (OTS, ALPHA):
        mine = [item for item in seen.anchors if item.way == way]
        fresh = any(now - item.at < PACE.every for item in mine)
        whole = [item.at for item in mine if item.anchor.state is AnchorState.COMPLETE]
        silent = now - max([START, *whole]) > PACE.alarm
        kinds = {type(item) for item in work if item.way == way}
        assert Alarm in kinds or not silent
        assert fresh or Stamp in kinds
