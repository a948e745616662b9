"""Whatever happens to incidents, channels and this process: nobody is flooded, nobody forgotten."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.ticketing import NOW, Office, make_incident, step

RULES = ("a", "b", "c", "d")
CHANNELS = ("desk", "mail")
CHAIN = (step(0, "desk"), step(45, "mail", "desk"))

EVENTS = st.one_of(
    st.tuples(st.just("fails"), st.sampled_from(RULES), st.integers(0, 2)),
    st.tuples(st.just("ends"), st.sampled_from(RULES)),
    st.tuples(st.just("reason"), st.sampled_from(RULES), st.sampled_from(["approval", "breaker"])),
    st.tuples(st.just("state"), st.sampled_from(RULES), st.sampled_from(["soak", "escalated"])),
    st.tuples(st.just("acknowledged"), st.sampled_from(RULES)),
    st.tuples(st.just("dead"), st.sampled_from(CHANNELS)),
    st.tuples(st.just("killed"), st.sampled_from(CHANNELS)),
    st.tuples(st.just("time"), st.sampled_from([30, 300, 3600, 7 * 3600])),
)


def happen(office: Office, event: tuple) -> None:  # type: ignore[type-arg]
    what, name, *more = event
    incident = office.incidents.get(name)
    match what:
        case "fails":
            number = len(office.tried) + len(office.arrived)
            new = make_incident(f"{name}{more}", rule=name, since=office.now, opened=office.now)
            office.incidents[name] = replace(new, id=f"{new.fingerprint[:12]}-{number + 1}")
        case "ends":
            office.incidents.pop(name, None)
        case "reason" | "state" if incident:
            office.incidents[name] = replace(incident, **{what: more[0]})
        case "acknowledged" if incident:
            office.acknowledged ^= {incident.fingerprint}
        case "dead":
            office.dead ^= {name}
        case "killed":
            office.run(killed=[name])
        case "time":
            office.run(after_s=name)


@settings(max_examples=50, deadline=None)
@given(st.lists(EVENTS, max_size=30))
def test_nobody_is_flooded_and_nobody_is_forgotten(events: list[tuple]) -> None:  # type: ignore[type-arg]
    office = Office({}, CHANNELS, CHAIN, per_run=3, per_hour=4)
    kills = sum(event[0] == "killed" for event in events)
    for event in events:
        happen(office, event)

    for channel in CHANNELS:
        times = [at for at, name, _ in office.tried if name == channel]
        for at in times:
            assert sum(at <= one < at + timedelta(hours=1) for one in times) <= 4
    again = Counter((name, call.message) for name, call in office.arrived)
    assert sum(again.values()) - len(again) <= kills, "only a kill makes a second one"
    assert len(office.tickets.open) <= 3 * len(RULES)

    office.dead.clear()
    office.acknowledged.clear()
    for rule in tuple(office.incidents):
        office.incidents[rule] = replace(office.incidents[rule], state="escalated")
    office.runs(4, after_s=7 * 3600)
    office.runs(4, after_s=3700)
    wanted = {incident.fingerprint for incident in office.incidents.values()}
    assert set(office.tickets.open) == wanted
    for name in wanted:
        for delivery in office.tickets.open[name].channels.values():
            assert delivery.told == (office.tickets.open[name].round, 1)
            assert delivery.tries == 0

    office.incidents.clear()
    office.runs(8, after_s=3700)
    assert office.tickets.open == {}
    assert office.now > NOW
