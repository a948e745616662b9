"""Whatever goes wrong, however fixes behave: no act in a cooldown, no incident unexplained."""

from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.engine.simulation.synthetic import BEGIN, Drift
from reconciler.learn.candidates import candidates
from reconciler.learn.document import document
from reconciler.learn.witness import trials_of
from tests.support.learning import Host
from tests.support.storms import played, services, too_soon, unexplained

RULES = 3


@st.composite
def drifts(draw: st.DrawFn) -> list[Drift]:
    found = [
        Drift(
            at=BEGIN + timedelta(minutes=draw(st.integers(0, 12 * 60))),
            rule=f"unit-{draw(st.integers(0, RULES - 1))}",
            observed={},
            lasts=draw(st.none() | st.integers(10, 300).map(lambda m: timedelta(minutes=m))),
            fix=draw(st.sampled_from(["heals", "heals", "lies", "fails", "breaks"])),
        )
        for _ in range(draw(st.integers(1, 10)))
    ]
    return sorted(found, key=lambda drift: (drift.at, drift.rule))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(drifts())
def test_any_stream_of_drift_keeps_to_the_guards_and_ends_explained(stream: list[Drift]) -> None:
    made, records = played(services(RULES), stream)

    assert too_soon(records) == []
    assert unexplained(made.tally) == {}
    assert made.drifts == made.healed + made.vanished + made.left <= len(stream)
    assert made.healed == made.tally.results["healed"]
    open_intents = records[-1].entry.open if records else ()
    assert open_intents == ()
    # One host has one action at a time: intent and outcome alternate.
    kinds = [r.entry.kind.value for r in records if r.entry.kind.value in {"intent", "outcome"}]
    assert kinds == ["intent", "outcome"] * (len(kinds) // 2)


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "result": st.sampled_from(["healed", "healed", "healed", "rolled_back", "denied"]),
                "soak": st.sampled_from(["closed", "closed", "confirmed", None]),
                "tier": st.sampled_from(["L1", "L2"]),
            }
        ),
        max_size=40,
    ),
    st.randoms(use_true_random=False),
)
def test_no_order_of_evidence_and_no_failure_makes_a_rule(
    heals: list[dict[str, Any]], dice: Any
) -> None:
    hosts = [Host(name=f"desk-{number}") for number in range(3)]
    for number, heal in enumerate(heals):
        hosts[number % 3].heal(**heal, later=timedelta(days=1))
    trials = [trial for host in hosts for trial in trials_of(host.records)]
    found = candidates(trials)
    texts = [document(one, 50) for one in found]
    dice.shuffle(trials)
    assert [document(one, 50) for one in candidates(trials)] == texts
    for one in found:
        bad = [t for t in trials if t.ending == "failure"]
        good = [t for t in trials if t.ending == "success" and t.chooser != "rule"]
        assert one.ripe is (not bad and len(good) >= 16 and _days(one) >= 7 and _hosts(good) >= 3)


def _days(candidate: Any) -> int:
    return (candidate.last - candidate.first).days if candidate.first else 0


def _hosts(trials: list[Any]) -> int:
    return len({trial.target for trial in trials})
