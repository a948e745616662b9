"""Which ring may be opened next."""

from datetime import timedelta
from typing import Any

import pytest

from reconciler.evidence.entry import Reference
from reconciler.model.rings import Promotions, RingMove, Rings
from reconciler.trust.promotion import Revision, Sight, moves, next_move
from reconciler.trust.soak import Stand
from tests.support.desired_states import frozen
from tests.support.soaking import MINE, T0

FIRST, SECOND = "a" * 64, "b" * 64
NOW = T0 + timedelta(hours=48)
RECENT = timedelta(hours=4)
MEMBERS = (("c/one", "c/two"), ("c/three", "c/four", "c/five"), ("c/six",))
EVERYBODY = [host for ring in MEMBERS for host in ring]
RINGS = Rings.model_validate(
    frozen(
        {
            "rings": [
                {"id": "canary", "hosts": MEMBERS[0], "soak_h": 24},
                {"id": "early", "hosts": MEMBERS[1], "soak_h": 12, "least": 2},
                {"id": "rest"},
            ]
        }
    )
)


def revision(id_: str = FIRST, hosts: list[str] = EVERYBODY) -> Revision:
    return Revision(id_, "c" * 40, T0, dict.fromkeys(hosts, MINE))


def opened(*rings: str, revision: str = FIRST) -> Promotions:
    raw = [
        {"revision": revision, "ring": ring, "opened": "2026-03-02T09:00:00Z", "reason": "Test."}
        for ring in rings
    ]
    return Promotions.model_validate(frozen({"promotions": raw}))


def soaked(hours: float, ago_h: float = 1) -> Stand:
    seen = NOW - timedelta(hours=ago_h)
    return Stand("soaking", timedelta(hours=hours), seen, Reference(7, "0" * 64))


def sight(unread: tuple[str, ...] = (), **stands: Stand) -> Sight:
    named = {f"c/{name}": stand for name, stand in stands.items()}
    return Sight(MEMBERS, named, unread, NOW, RECENT)


def move(seen: Sight, promotions: Promotions | None = None, **more: Any) -> RingMove:
    return next_move(RINGS, promotions or opened(), revision(**more), seen)


def test_every_host_of_the_ring_before_opens_the_next_and_is_named() -> None:
    found = move(sight(one=soaked(24), two=soaked(30)))
    assert (found.ring, found.opens, found.why) == ("early", True, ())
    assert [(one.host, one.seq) for one in found.by] == [("c/one", 7), ("c/two", 7)]


def test_as_many_as_a_ring_asks_for_are_enough() -> None:
    two = sight(three=soaked(12), five=soaked(12))
    assert move(two, opened("early")).opens
    assert not move(sight(three=soaked(12)), opened("early")).opens
    assert move(two).ring == "early", "the canaries of this revision are still asked for"


def test_where_all_rings_are_open_nothing_is_left_to_open() -> None:
    found = move(sight(), opened("early", "rest"))
    assert (found.ring, found.opens, found.why) == (None, False, ())


@pytest.mark.parametrize(
    ("stand", "why"),
    [
        (soaked(23.5), "c/two: soaked for 23 h 30 min of 24 h"),
        (soaked(24, ago_h=5), "c/two: was last looked at 5 h 0 min ago"),
        (soaked(48, ago_h=-1), "c/two: its clock is ahead: its newest look is still to come"),
        (Stand("elsewhere", seen=NOW), "c/two: does not run it"),
        (Stand("blind", seen=NOW), "c/two: its newest look did not see what runs"),
        (Stand("soaking", timedelta(hours=99)), "c/two: no evidence was given of it"),
        (None, "c/two: no evidence was given of it"),
    ],
)
def test_one_that_did_not_soak_is_waited_for_and_said(stand: Stand | None, why: str) -> None:
    rest = {} if stand is None else {"two": stand}
    found = move(sight(one=soaked(24), **rest))
    assert not found.opens
    assert found.by == ()
    assert found.why == ("1 of the 2 hosts that ring canary asks for soaked", why)


def test_a_host_that_the_release_leaves_out_vouches_for_nothing() -> None:
    found = move(sight(one=soaked(24), two=soaked(24)), hosts=["c/one"])
    assert found.why[1] == "c/two: the release names no system for it"


def test_one_failure_in_any_open_ring_halts_whatever_others_show() -> None:
    healthy = {name: soaked(40) for name in ("one", "three", "four")}
    found = move(sight(two=Stand("failed", seen=NOW), **healthy), opened("early"))
    assert not found.opens
    assert found.why == ("halted: its activation failed on c/two",)
    outside = sight(six=Stand("failed", seen=NOW), **healthy)
    assert move(outside, opened("early")).opens, "a ring that is not open says nothing of it"


def test_evidence_that_does_not_verify_halts() -> None:
    found = move(sight(("c/four",), three=soaked(12), five=soaked(12)), opened("early"))
    assert not found.opens
    assert found.why == ("halted: evidence does not verify: c/four",)


def test_a_ring_that_has_no_host_vouches_for_nothing() -> None:
    seen = Sight(((), *MEMBERS[1:]), {}, (), NOW, RECENT)
    assert move(seen).why == ("ring canary has no host",)


def test_a_newer_revision_that_is_open_already_leaves_an_older_one_where_it_is() -> None:
    nothing, canaries = sight(), sight(one=soaked(24), two=soaked(24))
    new, old = revision(SECOND), revision(FIRST)
    both = moves(RINGS, opened(), [(new, canaries), (old, canaries)])
    assert [(one.revision, one.opens) for one in both] == [(SECOND, True)]
    later = moves(RINGS, opened("early"), [(new, nothing), (old, canaries)])
    assert [(one.revision, one.ring) for one in later] == [(SECOND, "early"), (FIRST, "rest")]
    done = moves(RINGS, opened("early", "rest"), [(new, nothing), (old, nothing), (old, nothing)])
    assert [one.ring for one in done] == ["early", None], "what is older is not asked about"
