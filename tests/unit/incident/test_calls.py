"""People are called once for each step, again when it did not arrive, and never in a storm."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

from reconciler.incident.calls import CAP, backoff
from tests.support.ticketing import NOW, Office, make_incident, step


def test_one_ticket_however_many_runs_see_the_incident() -> None:
    office = Office({"time": make_incident()})

    office.runs(50)

    ((channel, call),) = office.arrived
    assert (channel, call.phase, call.covers[0].reason) == ("desk", "opened", "no-remedy")


def test_what_waits_or_heals_by_itself_is_nobodys() -> None:
    for state in ("detected", "planned", "waiting", "executing", "soak", "cooldown"):
        office = Office({"time": make_incident(state=state)})
        assert office.runs(3) == [], state


def test_each_step_is_called_at_its_time_until_somebody_acknowledges() -> None:
    chain = (step(0, "desk"), step(30, "chief", "desk"), step(120, "owner"))
    office = Office({"time": make_incident()}, ("desk", "chief", "owner"), chain)

    office.runs(24)
    said = [(channel, call.covers[0].step) for channel, call in office.arrived]
    assert said == [("desk", 0), ("desk", 1), ("chief", 1)]

    office.acknowledged.add(make_incident().fingerprint)
    office.runs(24)
    assert len(office.arrived) == 3, "nobody else"
    assert office.tickets.open[make_incident().fingerprint].acknowledged

    office.acknowledged.clear()
    office.runs(1)
    assert [(c, call.phase) for c, call in office.arrived[3:]] == [("desk", "opened")]
    office.runs(26)
    assert [c for c, _ in office.arrived[4:]] == ["desk", "chief", "owner"]


def test_an_acknowledgement_that_is_there_first_leaves_an_entry_and_calls_nobody() -> None:
    office = Office({"time": make_incident()})
    office.acknowledged.add(make_incident().fingerprint)

    assert office.runs(5) == []
    assert office.tickets.open[make_incident().fingerprint].acknowledged


def test_a_dead_channel_is_left_alone_ever_longer_and_does_not_stop_the_other() -> None:
    office = Office(
        {"time": make_incident()}, ("desk", "mail"), (step(0, "desk", "mail"),), dead={"mail"}
    )

    office.runs(24 * 60, after_s=60)

    assert [channel for channel, _ in office.arrived] == ["desk"]
    times = [at for at, channel, _ in office.tried if channel == "mail"]
    gaps = [after - before for before, after in pairwise(times)]
    assert len(times) <= 13
    assert all(gap >= backoff(n) for n, gap in enumerate(gaps, 1))
    assert backoff(100) == CAP
    assert len({call.message for _, channel, call in office.tried if channel == "mail"}) == 1

    office.dead.clear()
    office.run(after_s=6 * 3600)
    office.runs(10)
    assert [channel for channel, _ in office.arrived] == ["desk", "mail"]


def test_a_kill_after_sending_leads_to_one_more_try_of_the_same_message() -> None:
    office = Office({"time": make_incident()})
    office.run(killed=["desk"])

    office.runs(20)

    assert len(office.arrived) == 2
    assert len({call.message for _, call in office.arrived}) == 1


def test_what_has_ended_is_said_once_and_forgotten() -> None:
    office = Office({"time": make_incident()})
    office.run()
    office.incidents["time"] = make_incident(state="soak")
    assert office.runs(3) == [], "nothing is said while a fix has to prove itself"

    office.incidents.clear()
    office.runs(10)

    assert [(call.phase, call.reference) for _, call in office.arrived] == [
        ("opened", None),
        ("closed", 7),
    ]
    assert office.tickets.open == {}


def test_nobody_hears_the_end_of_what_they_never_heard_of() -> None:
    office = Office({"time": make_incident()}, dead={"desk"})
    office.run()
    office.incidents.clear()
    office.dead.clear()

    assert office.runs(10) == []
    assert office.tickets.open == {}


def test_a_channel_that_is_gone_from_the_settings_keeps_no_ticket() -> None:
    office = Office({"time": make_incident()})
    office.run()
    office.incidents.clear()
    office.channels = ("mail",)

    office.run()

    assert office.tickets.open == {}


def test_another_reason_asks_anew_but_not_within_the_hour() -> None:
    office = Office({"time": make_incident(state="awaiting_approval", reason="approval")})
    office.run()
    office.incidents["time"] = make_incident(reason="approval-expired")
    assert office.runs(11) == []

    office.runs(2)

    assert [call.covers[0].reason for _, call in office.arrived] == ["approval", "approval-expired"]
    assert len({call.key for _, call in office.arrived}) == 1
    assert office.arrived[1][1].reference == 7


def test_a_value_that_changes_all_day_is_one_ticket_once_an_hour() -> None:
    office = Office({"time": make_incident()})
    for number in range(288):
        changed = make_incident(f"time {number}", rule="time")
        office.incidents = {"time": replace(changed, since=office.now, opened=office.now)}
        office.run()

    assert 20 <= len(office.arrived) <= 25
    assert len({call.key for _, call in office.arrived}) == 1
    assert len(office.tickets.open) == 1


def test_a_storm_is_a_few_messages_and_a_digest_that_names_everything() -> None:
    names = [f"rule-{number}" for number in range(1000)]
    incidents = {name: make_incident(name) for name in names}
    incidents["rule-7"] = make_incident("rule-7", severity="critical")
    office = Office(incidents)

    office.run()

    assert len(office.arrived) == 5
    assert office.arrived[0][1].covers[0].rule == "rule-7"
    named = Counter(c.rule for _, call in office.arrived for c in call.covers)
    assert set(named) == set(names)
    assert set(named.values()) == {1}
    assert len(office.arrived[-1][1].covers) == 996
    assert office.runs(12) == []

    office.incidents.clear()
    goodbyes = office.runs(24)
    assert len(goodbyes) == 5, "four alone, one digest"
    assert office.tickets.open == {}


def test_storms_in_a_row_stay_within_the_hour() -> None:
    office = Office({}, per_hour=6)
    for number in range(24):
        office.incidents |= {
            f"{number}-{n}": make_incident(f"{number}-{n}", since=office.now, opened=office.now)
            for n in range(20)
        }
        office.run()
    office.runs(12)

    for at, _, _ in office.tried:
        window = [one for one, *_ in office.tried if at <= one < at + timedelta(hours=1)]
        assert len(window) <= 6
    named = Counter(c.ticket for _, call in office.arrived for c in call.covers)
    assert len(named) == 24 * 20
    assert set(named.values()) == {1}


def test_a_digest_that_did_not_arrive_is_tried_again_as_it_was() -> None:
    office = Office({n: make_incident(n) for n in map(str, range(20))}, per_run=1, dead={"desk"})
    office.run()
    office.incidents["late"] = make_incident("late", since=NOW)
    office.dead.clear()

    office.runs(3)

    first, *rest = [call for _, _, call in office.tried]
    assert first.digest
    assert [call.message for call in rest] == [first.message, rest[1].message]
    assert {c.rule for c in rest[0].covers} == set(map(str, range(20)))
    assert [c.rule for c in rest[1].covers] == ["late"]


def test_one_message_that_is_never_taken_does_not_keep_the_others_back() -> None:
    office = Office({"bad": make_incident("bad", severity="critical")}, dead={"desk"})
    office.run()
    office.dead.clear()
    office.incidents["good"] = make_incident("good", severity="low", since=office.now)

    made = office.run()

    assert [call.covers[0].rule for call in made] == ["good", "bad"]


def test_a_dead_channel_is_left_alone_however_many_tickets_wait_for_it() -> None:
    office = Office({n: make_incident(n) for n in map(str, range(4))}, dead={"desk"})

    office.runs(24 * 60, after_s=60)

    assert len(office.tried) <= 13


def test_a_message_that_is_refused_is_tried_ever_later_while_others_arrive() -> None:
    office = Office({"bad": make_incident("bad")}, refused={"bad"}, per_hour=50)
    for number in range(12 * 12):
        name = f"good-{number}"
        office.incidents[name] = make_incident(name, since=office.now, opened=office.now)
        office.run()

    tried = [at for at, _, call in office.tried if call.covers[0].rule == "bad"]
    gaps = [after - before for before, after in pairwise(tried)]
    assert gaps == sorted(gaps)
    assert 8 <= len(tried) <= 11
    assert len(office.arrived) == 12 * 12
    assert len(office.tickets.lines["desk"].recent) <= 50

    office.refused.clear()
    office.run(after_s=6 * 3600)
    assert office.arrived[-1][1].covers[0].rule == "bad"


def test_an_acknowledgement_is_written_down_once() -> None:
    office = Office({"time": make_incident()})
    office.run()
    office.acknowledged.add(make_incident().fingerprint)

    office.runs(5)

    assert [body["phase"] for body in office.said] == ["opened", "sent", "acknowledged"]


def test_a_digest_has_ended_when_the_last_thing_in_it_has() -> None:
    office = Office({n: make_incident(n) for n in map(str, range(9))}, per_run=1)
    office.run()
    for name in map(str, range(8)):
        del office.incidents[name]
        assert office.run() == []
    assert len(office.tickets.open) == 1

    office.incidents.clear()
    (goodbye,) = office.runs(3)

    assert (goodbye.phase, goodbye.digest, goodbye.reference) == ("closed", True, 7)
    assert office.tickets.open == {}


def test_an_end_that_nobody_takes_is_not_told_for_ever() -> None:
    office = Office({"time": make_incident()})
    office.run()
    office.incidents.clear()
    office.dead.add("desk")

    tries = office.runs(200, after_s=3600)

    assert len(tries) == 5
    assert office.tickets.open == {}
