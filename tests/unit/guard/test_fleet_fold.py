"""Fleet breakers and stages, folded from runs of many hosts."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.guard.fleet_fold import Ran, moves, newly_open
from reconciler.guard.rollout import is_tenth
from reconciler.model.fleet_wide import FleetBreakers, FleetMove, OpenBreaker, Rollout
from reconciler.model.guard_settings import BreakerSettings
from tests.support.desired_states import frozen

T0 = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
TODAY = T0.date()
DIGEST, OTHER = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"
NUMBERS = BreakerSettings()
IN_USE = {"RB-A-001": DIGEST}
TARGETS = tuple(f"clinic/host-{number}" for number in range(100))
TENTH = tuple(target for target in TARGETS if is_tenth(DIGEST, target))


def ran(host: int, minute: int = 0, ending: str = "failed", digest: str = DIGEST) -> Ran:
    target = f"clinic/host-{host}"
    return Ran(
        target=target,
        runbook="RB-A-001",
        digest=digest,
        at=T0 + timedelta(minutes=minute),
        ending=ending,  # type: ignore[arg-type]
        reference=f"{target}@{minute}:sha256:{'0' * 64}",
    )


def opened(*runs: Ran, known: FleetBreakers | None = None, **in_use: str) -> list[OpenBreaker]:
    found = newly_open(runs, NUMBERS, known or FleetBreakers(), in_use or IN_USE, TODAY)
    return list(found)


def test_three_hosts_within_the_hour_open_it_and_are_named_with_their_evidence() -> None:
    runs = [ran(2, 60), ran(0), ran(1, 30), ran(1, 31)]
    [breaker] = opened(*runs)
    assert breaker.hosts == ("clinic/host-0", "clinic/host-1", "clinic/host-2")
    assert [name.partition(":")[0] for name in breaker.evidence] == [
        "clinic/host-0@0",
        "clinic/host-1@30",
        "clinic/host-1@31",
        "clinic/host-2@60",
    ]
    assert (breaker.digest, breaker.opened_on) == (DIGEST, TODAY)
    assert breaker.reason == "failed on 3 hosts within 3600 s"


@pytest.mark.parametrize(
    "runs",
    [
        (ran(0), ran(1, 30)),
        (ran(0), ran(0, 1), ran(0, 2), ran(1, 3)),
        (ran(0), ran(1, 30), ran(2, 61)),
        (ran(0), ran(1), ran(2, ending="undone")),
        (ran(0), ran(1), ran(2, ending="open")),
        (ran(0), ran(1), ran(2, digest=OTHER)),
    ],
)
def test_fewer_hosts_longer_times_or_other_versions_open_nothing(runs: tuple[Ran, ...]) -> None:
    assert opened(*runs) == []


def test_a_version_that_is_not_in_use_or_is_off_already_is_not_opened_again() -> None:
    runs = (ran(0), ran(1), ran(2))
    assert opened(*runs, **{"RB-A-001": OTHER}) == []
    assert opened(*runs, known=FleetBreakers(breakers=tuple(opened(*runs)))) == []


@settings(max_examples=100)
@given(
    st.lists(
        st.tuples(st.integers(0, 4), st.integers(0, 300), st.sampled_from(["failed", "healed"])),
        max_size=12,
    )
)
def test_it_opens_exactly_when_some_hour_has_three_hosts(raw: list[tuple[int, int, str]]) -> None:
    runs = [ran(host, minute, ending) for host, minute, ending in raw]
    bad = [(host, minute) for host, minute, ending in raw if ending == "failed"]
    burst = any(
        len({host for host, minute in bad if start <= minute <= start + 60}) >= 3
        for _host, start in bad
    )
    assert bool(opened(*runs)) is burst
    if burst:
        [breaker] = opened(*runs)
        assert set(breaker.hosts) <= {f"clinic/host-{host}" for host, _minute in bad}


def moved(
    stage: str,
    *runs: Ran,
    hosts: tuple[str, ...] = ("clinic/host-0", "clinic/host-1"),
    **more: Any,
) -> FleetMove:
    entry = {"digest": DIGEST, "stage": stage, "hosts": list(hosts)}
    rollout = Rollout.model_validate(frozen({"runbooks": {"RB-A-001": entry}}))
    fields = {"in_use": IN_USE, "off": (), "unread": ()} | more
    [move] = moves(rollout, runs, NUMBERS, TARGETS, **fields)
    return move


def healed(*targets: str) -> list[Ran]:
    return [ran(int(target.rpartition("-")[2]), ending="healed") for target in targets]


def test_every_canary_must_heal() -> None:
    one = moved("canary", *healed("clinic/host-0"))
    assert (one.after, one.why) == ("canary", "has not healed on clinic/host-1 yet")
    both = moved("canary", *healed("clinic/host-0", "clinic/host-1"))
    assert (both.after, both.moves_on) == ("tenth", True)


def test_of_every_tenth_as_many_as_a_breaker_counts() -> None:
    assert len(TENTH) >= 3, "about every tenth of a hundred"
    two = moved("tenth", *healed("clinic/host-0", "clinic/host-1"))
    assert (two.after, two.why) == ("tenth", "has healed on 2 of the 3 hosts that it takes")
    three = moved("tenth", *healed("clinic/host-0", "clinic/host-1", TENTH[-1]))
    assert three.after == "all"
    elsewhere = next(t for t in TARGETS[2:] if t not in TENTH)
    assert moved("tenth", *healed("clinic/host-0", "clinic/host-1", elsewhere)).after == "tenth"


def test_what_canaries_showed_is_not_shown_again_for_every_tenth() -> None:
    canaries = ("clinic/host-0", "clinic/host-1", next(t for t in TARGETS[2:] if t not in TENTH))
    before = moved("tenth", *healed(*canaries), hosts=canaries)
    assert (before.after, before.why) == ("tenth", "has healed on its canaries only")
    assert moved("tenth", *healed(*canaries, TENTH[-1]), hosts=canaries).after == "all"


def test_a_stage_that_reaches_no_host_stays() -> None:
    nobody = moved("canary", hosts=())
    assert (nobody.after, nobody.why) == ("canary", "reaches no host of the fleet")


@pytest.mark.parametrize("ending", ["failed", "undone"])
def test_one_that_failed_anywhere_holds_it(ending: str) -> None:
    runs = [*healed("clinic/host-0", "clinic/host-1"), ran(30, ending=ending)]
    found = moved("canary", *runs)
    assert (found.after, found.why) == ("canary", "failed or came undone on clinic/host-30")


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"in_use": {"RB-A-001": OTHER}}, "is not the version in use"),
        ({"off": {DIGEST}}, "is switched off by a breaker"),
        ({"unread": ("clinic/host-1",)}, "evidence cannot be read: clinic/host-1"),
    ],
)
def test_what_else_holds_a_stage(more: dict[str, Any], why: str) -> None:
    found = moved("canary", *healed("clinic/host-0", "clinic/host-1"), **more)
    assert (found.after, found.why) == ("canary", why)


def test_what_has_come_to_all_is_left_alone() -> None:
    entry = {"digest": DIGEST, "stage": "all"}
    rollout = Rollout.model_validate(frozen({"runbooks": {"RB-A-001": entry}}))
    bad = [ran(n) for n in range(3)]
    assert moves(rollout, bad, NUMBERS, TARGETS, in_use=IN_USE, off=(), unread=()) == ()
