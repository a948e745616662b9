"""Incidents that end in front of a person: what software does meanwhile, and what frees it."""

import re
from datetime import timedelta

import pytest

from reconciler.model.operation import SetAccess
from reconciler.testing.fake_machine import FakeMachine
from reconciler.testing.fake_target import Fault
from tests.support.drill import (
    CLIENT_FILE,
    SECRET,
    SYSCTL,
    Drill,
    break_secret,
    break_sysctl,
)
from tests.support.drilled_incidents import incident, steps

pytestmark = pytest.mark.integration


def open_wide(machine: FakeMachine) -> None:
    machine.files["/etc/bridge/key"].mode = 0o777


def test_a_fix_that_something_keeps_undoing_ends_in_front_of_a_person(drill: Drill) -> None:
    break_sysctl(drill.machine)
    drill.run()
    for _ in range(2):
        break_sysctl(drill.machine)
        assert drill.run(after_s=5400).outcomes[0].result == "healed"
    break_sysctl(drill.machine)

    third = drill.run(after_s=5400)

    assert (third.outcomes, third.plan.actions) == ((), ())
    (one,) = third.incidents
    assert (one.state, one.reason, one.recurrences) == ("escalated", "does-not-hold", 3)
    held = drill.run()
    assert held.outcomes == ()
    assert [left.verdict.guard for left in held.not_done] == ["flap"]
    assert held.incidents == third.incidents, "said once"
    assert drill.run(after_s=24 * 3600).outcomes[0].result == "healed"


def test_a_way_back_that_did_not_lead_back_closes_the_host_until_a_person_takes_it(
    drill: Drill,
) -> None:
    break_secret(drill.machine)
    drill.faults += [
        Fault("breaks", lambda op: isinstance(op, SetAccess) and op.mode == 0o600, open_wide),
        Fault("lies", lambda op: isinstance(op, SetAccess)),
    ]
    drill.run()
    one = incident(drill, SECRET)
    assert (one.state, one.reason) == ("quarantined", "rollback-unverified")
    break_sysctl(drill.machine)

    closed = drill.run(after_s=8 * 3600)

    assert closed.outcomes == ()
    assert (incident(drill, SYSCTL).state, incident(drill, SYSCTL).reason) == (
        "waiting",
        "quarantine",
    )
    drill.faults.clear()
    until = (drill.clock.at + timedelta(days=1)).date()
    text = f"id: mine\nincident: {one.fingerprint}\nby: engineer@msp.example\nuntil: {until}\n"
    text += f"looked_at: '{drill.clock.at:%Y-%m-%dT%H:%M:%SZ}'\n"
    drill.edit("acknowledgements/example-clinic/mine.yaml", lambda _old: text)
    freed = drill.run()
    moved = [(state, reason) for _kind, state, reason in steps(drill, SECRET)]
    taken = moved.index(("quarantined", "rollback-unverified")) + 1
    assert moved[taken : taken + 3] == [
        ("escalated", "acknowledged"),
        ("resolved_itself", "changed"),
        ("detected", "changed"),
    ]
    assert sorted(outcome.result for outcome in freed.outcomes) == ["healed", "healed"]


def test_an_acknowledgement_ends_with_the_clients_day_everywhere(drill: Drill) -> None:
    text = (drill.site.fleet / CLIENT_FILE).read_text()
    zone = re.sub("time_zone: .*", "time_zone: Pacific/Honolulu", text)
    assert zone != text
    drill.edit(CLIENT_FILE, lambda _old: zone)
    break_secret(drill.machine)
    drill.faults += [
        Fault("breaks", lambda op: isinstance(op, SetAccess) and op.mode == 0o600, open_wide),
        Fault("lies", lambda op: isinstance(op, SetAccess)),
    ]
    drill.run()
    one = incident(drill, SECRET)
    assert one.state == "quarantined"
    # In the morning in UTC the day before is not over there.
    until = (drill.clock.at - timedelta(days=1)).date()
    text = f"id: mine\nincident: {one.fingerprint}\nby: engineer@msp.example\nuntil: {until}\n"
    text += f"looked_at: '{drill.clock.at + timedelta(seconds=1):%Y-%m-%dT%H:%M:%SZ}'\n"
    drill.edit("acknowledgements/example-clinic/mine.yaml", lambda _old: text)
    break_sysctl(drill.machine)

    freed = drill.run(after_s=2)

    assert [outcome.rules for outcome in freed.outcomes][-1] == (SYSCTL,), "the guard lets it"
    moved = [(state, reason) for _kind, state, reason in steps(drill, SECRET)]
    assert ("escalated", "acknowledged") in moved, "and its incident says why"
