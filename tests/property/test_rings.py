"""A ring never opens early: whatever a host wrote, by whatever clock, in whatever order."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.rings import Promotions, Rings
from reconciler.trust.judgement import TOLERANCE
from reconciler.trust.promotion import Revision, Sight, next_move
from reconciler.trust.soak import stand_of
from tests.support.desired_states import frozen
from tests.support.soaking import MINE, OLD, T0, Host

EVENTS = ("mine", "old", "look", "blind", "repeat", "healed", "failed", "interrupted", "slept")
HISTORY = st.lists(st.tuples(st.sampled_from(EVENTS), st.integers(0, 12)), max_size=25)
CLOCKS = st.lists(st.integers(0, 40), min_size=26, max_size=26)


class World:
    """A host, and what is true of it whatever it writes: since when it has run the system."""

    def __init__(self) -> None:
        self.host = Host().runs(OLD).looks(running=OLD)
        self.runs_mine = False
        self.true_since = None

    def _now_runs(self, mine: bool) -> None:
        if mine and not self.runs_mine:
            self.true_since = self.host.now
        self.runs_mine = mine
        self.host.runs(MINE if mine else OLD)

    def event(self, name: str, hours: int) -> None:
        host = self.host
        if name == "slept":
            # Nobody looked, so none of it may count.
            host.slept(hours)
            if self.true_since is not None:
                self.true_since += timedelta(hours=hours)
            return
        host.after(hours)
        match name:
            case "mine" | "old":
                self._now_runs(name == "mine")
            case "look":
                host.looks(running=MINE if self.runs_mine else OLD)
            case "blind":
                host.looks("unknown")
            case "repeat":
                host.repeats()
            case _:
                host.tries(name)
                self.true_since = host.now if self.runs_mine else None

    def true_soak(self) -> timedelta:
        if not self.runs_mine or self.true_since is None:
            return timedelta()
        return self.host.now - self.true_since


@given(HISTORY)
def test_no_order_of_entries_shows_a_longer_soak_than_there_was(
    history: list[tuple[str, int]],
) -> None:
    world = World()
    for name, hours in history:
        world.event(name, hours)
        found = stand_of(world.host.records, MINE, T0)
        assert found.soaked <= world.true_soak()
        if found.state == "soaking":
            assert world.runs_mine


@given(HISTORY, CLOCKS)
def test_no_clock_shows_a_longer_soak_where_a_witness_looks_on(
    history: list[tuple[str, int]], ahead: list[int]
) -> None:
    world = World()
    for (name, hours), leap in zip(history, ahead, strict=False):
        if name == "slept":
            continue
        # A ledger never goes back in time, so neither does this clock.
        world.host.ahead = max(world.host.ahead - timedelta(hours=hours), timedelta(hours=leap))
        world.event(name, hours)
        world.host.witnessed()
        found = stand_of(world.host.records, MINE, T0)
        assert found.soaked <= world.true_soak() + 2 * TOLERANCE


RINGS = Rings.model_validate(
    frozen({"rings": [{"id": "canary", "hosts": ["c/one"], "soak_h": 6}, {"id": "rest"}]})
)


@given(HISTORY, st.integers(0, 12), st.booleans())
def test_the_next_ring_opens_only_when_the_soak_is_over_and_somebody_looked(
    history: list[tuple[str, int]], later: int, read: bool
) -> None:
    world = World()
    for name, hours in history:
        world.event(name, hours)
    stand = stand_of(world.host.records, MINE, T0)
    now = world.host.now + timedelta(hours=later)
    sight = Sight((["c/one"], []), {"c/one": stand}, () if read else ("c/one",), now, timedelta(0))
    revision = Revision("a" * 64, "c" * 40, T0, {"c/one": MINE})
    found = next_move(RINGS, Promotions(), revision, sight)
    if found.opens:
        assert read
        assert later == 0
        assert world.true_soak() >= timedelta(hours=6)
    else:
        assert found.why


def test_the_property_is_not_empty() -> None:
    """A host that does everything right opens the ring."""
    world = World()
    for name, hours in [("healed", 1), ("mine", 0), ("look", 0), ("repeat", 6)]:
        world.event(name, hours)
    stand = stand_of(world.host.records, MINE, T0)
    sight = Sight((["c/one"], []), {"c/one": stand}, (), world.host.now, timedelta(0))
    revision = Revision("a" * 64, "c" * 40, T0, {"c/one": MINE})
    assert next_move(RINGS, Promotions(), revision, sight).opens
