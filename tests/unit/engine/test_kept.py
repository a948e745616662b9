"""What is remembered of upkeep decides as the whole history would, and stays small."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from reconciler.engine.kept import Copied, Kept, Mark, Signed, Vouched, _followed
from reconciler.engine.upkeep.anchors import unread, view_of
from reconciler.errors import LedgerDamaged
from reconciler.ledger.anchors import plan
from reconciler.ledger.anchors.model import BITCOIN, AnchorState, Method

START = datetime(2026, 3, 1, tzinfo=UTC)
WAYS = (plan.Way(Method.OPENTIMESTAMPS, BITCOIN), plan.Way(Method.RFC3161, "alpha"))
FULL = Kept(
    checkpoint=Signed(7, "a" * 64, "note\n"),
    cosigned={"witness/hub": Vouched(7, START)},
    anchors=(
        Mark(9, "c" * 40, START, Method.RFC3161, "alpha", "b" * 64, AnchorState.COMPLETE),
        Mark(10, "d" * 40, START, Method.OPENTIMESTAMPS, "bitcoin", "b" * 64, AnchorState.PENDING),
    ),
    copied=Copied(10, None, START),
)


def mark(seq: int, at: datetime, way: plan.Way, note: int, *, whole: bool) -> Mark:
    state = AnchorState.COMPLETE if whole else AnchorState.PENDING
    return Mark(seq, f"{seq:040x}", at, way.method, way.authority, f"{note:064x}", state)


@pytest.mark.parametrize("seed", range(6))
def test_what_is_due_is_what_the_whole_history_says(seed: int) -> None:
    source = random.Random(seed)
    everything: list[Mark] = []
    kept: tuple[Mark, ...] = ()
    seq = 0

    def add(at: datetime, way: plan.Way, note: int, *, whole: bool) -> None:
        nonlocal kept, seq
        seq += 1
        new = mark(seq, at, way, note, whole=whole)
        everything.append(new)
        kept = _followed((*kept, new), at)

    for day in range(90):
        at = START + timedelta(days=day)
        for way in WAYS:
            at += timedelta(minutes=source.randrange(300))
            if source.random() < 0.8:
                add(at, way, day, whole=way.method is Method.RFC3161)
        for old in range(max(0, day - 25), day):
            if source.random() < 0.05 and any(one.note_sha256 == f"{old:064x}" for one in kept):
                at += timedelta(minutes=1)
                add(at, WAYS[0], old, whole=True)
        now = at + timedelta(hours=source.randrange(1, 30))
        newest = Kept(checkpoint=Signed(day, "a" * 64, f"{source.randrange(9)}"))
        whole_view = view_of(newest, START, {}, map(unread, everything))
        kept_view = view_of(newest, START, {}, map(unread, kept))
        pace = plan.Pace()
        assert plan.due(kept_view, WAYS, now, pace) == plan.due(whole_view, WAYS, now, pace)

    assert len(kept) < 70 < len(everything)


def test_it_is_read_back_as_it_was_written() -> None:
    assert Kept.from_body(FULL.to_body()) == FULL
    assert Kept.from_body(Kept().to_body()) == Kept()
    assert Kept.from_body(None) == Kept()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("checkpoint", {"seq": 1}),
        ("checkpoint", {"seq": -1, "sha256": "a" * 64, "note": "x"}),
        ("cosigned", {"witness/hub": {"size": "7", "at": "2026-03-01T00:00:00.000Z"}}),
        ("cosigned", {"witness/hub": {"size": 7, "at": "yesterday"}}),
        ("anchors", {}),
        ("anchors", [{}]),
        ("copied", {"seq": 1, "commit": 2, "at": "2026-03-01T00:00:00.000Z"}),
    ],
)
def test_what_does_not_read_is_damage_and_no_fresh_start(name: str, value: object) -> None:
    with pytest.raises(LedgerDamaged, match="garbled"):
        Kept.from_body(FULL.to_body() | {name: value})
    with pytest.raises(LedgerDamaged, match="garbled"):
        Kept.from_body({})
