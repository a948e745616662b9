"""Incidents of a real appliance around a fake machine: what the ledger says of each of them."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from reconciler.incident.register import Register
from reconciler.testing.fake_target import Fault
from tests.support.drill import (
    HOST_FILE,
    SECRET,
    SERVICE,
    SYSCTL,
    Drill,
    break_secret,
    break_service,
    break_sysctl,
    statuses,
)
from tests.support.drilled_incidents import incident, register, states, steps

pytestmark = pytest.mark.integration

HEALING = ["planned", "admitted", "precheck", "executing"]


def guards(text: str) -> Callable[[str], str]:
    return lambda _old: text


def test_a_drift_is_seen_confirmed_healed_and_soaks_in_one_run(drill: Drill) -> None:
    break_sysctl(drill.machine)

    report = drill.run()

    assert drill.kinds() == ["genesis", "intent", "outcome", "run"], "no entry more than before"
    assert [(kind, state) for kind, state, _ in steps(drill, SYSCTL)] == [
        *(("intent", state) for state in ("detected", "confirmed", *HEALING)),
        ("outcome", "verifying"),
        ("outcome", "soak"),
    ]
    (one,) = report.incidents
    assert (one.rule, one.state, one.reason) == (SYSCTL, "soak", "verified")
    assert (one.tier, one.runbook) == ("L1", "RB-SYSCTL-001")
    assert one.until is not None
    assert (one.until - one.since).total_seconds() == 3600
    assert one == incident(drill, SYSCTL), "as the ledger has it"


def test_what_holds_for_the_soak_is_closed_and_says_nothing_more(drill: Drill) -> None:
    break_sysctl(drill.machine)
    drill.run()
    drill.run(after_s=1800)
    assert states(drill, SYSCTL)[-1] == "soak"

    drill.run(after_s=1800)

    assert steps(drill, SYSCTL)[-1] == ("run", "closed", "held")
    assert register(drill).open == {}
    drill.run()
    drill.run()
    assert [record.entry.slim for record in drill.records()][-2:] == [True, True]


def test_an_unchanged_drift_that_nobody_heals_makes_no_news(drill: Drill) -> None:
    drill.edit(HOST_FILE, lambda text: text.replace("mode: enforce", "mode: observe"))
    break_sysctl(drill.machine)
    drill.run()

    drill.run()
    drill.run()

    assert steps(drill, SYSCTL) == [
        ("run", "detected", "seen"),
        ("run", "confirmed", "seen-again"),
        ("run", "planned", "observe"),
        ("run", "waiting", "mode"),
    ]
    assert [record.entry.slim for record in drill.records()][-2:] == [True, True]


def test_a_fault_that_is_gone_at_the_second_sighting_is_over_and_not_acted_on(drill: Drill) -> None:
    def come_right(where: str) -> None:
        if where == "observed":
            drill.machine.sysctls["net.ipv4.tcp_syncookies"] = "1"

    break_sysctl(drill.machine)

    report = drill.run(hook=come_right)

    assert states(drill, SYSCTL) == ["detected", "resolved_itself"]
    assert statuses(report)[SYSCTL] == "pass"
    assert drill.carried == []


def test_a_fix_that_does_not_hold_is_a_recurrence_in_the_soak_and_after_it(drill: Drill) -> None:
    break_sysctl(drill.machine)
    drill.run()
    break_sysctl(drill.machine)
    drill.run(after_s=1200)
    assert incident(drill, SYSCTL).recurrences == 1
    assert states(drill, SYSCTL)[-7:] == ["confirmed", *HEALING, "verifying", "soak"]

    drill.run(after_s=4000)
    assert states(drill, SYSCTL)[-1] == "closed"
    break_sysctl(drill.machine)
    drill.run(after_s=4000)

    again = incident(drill, SYSCTL)
    assert (again.recurrences, again.occurrence) == (2, 2)
    recurred = [
        step
        for record in drill.records()
        for step in record.entry.body.get("incidents", [])
        if step.get("recurred")
    ]
    assert [(s["from"], s["to"], s["recurrences"]) for s in recurred] == [
        ("soak", "confirmed", 1),
        (None, "detected", 2),
    ]


def test_a_failed_fix_is_taken_back_and_cools_down(drill: Drill) -> None:
    drill.faults.append(Fault("lies"))
    break_secret(drill.machine)

    drill.run()

    assert states(drill, SECRET)[-4:] == ["verifying", "rolling_back", "rolled_back", "cooldown"]
    one = incident(drill, SECRET)
    assert one.until is not None
    assert (one.until - one.since).total_seconds() == 600, "300 s, twice after a failure"
    before = states(drill, SECRET)
    drill.run(after_s=30)
    assert states(drill, SECRET) == before, "the cooldown says the same again"


def test_a_crash_in_an_action_goes_on_with_a_look_and_sends_nothing_again(drill: Drill) -> None:
    class Killed(BaseException):
        pass

    def die(where: str) -> None:
        if where.startswith("before-step:"):
            raise Killed

    break_sysctl(drill.machine)
    with pytest.raises(Killed):
        drill.run(hook=die)
    assert incident(drill, SYSCTL).state == "executing"

    report = drill.run(after_s=4 * 3600)

    assert [outcome.result for outcome in report.interrupted] == ["interrupted"]
    assert drill.carried == []
    assert [(k, s) for k, s, _ in steps(drill, SYSCTL)][-2:] == [
        ("outcome", "verifying"),
        ("outcome", "cooldown"),
    ]
    assert [left.verdict.guard for left in report.not_done] == ["cooldown"]
    assert drill.run(after_s=4 * 3600).outcomes[0].result == "healed"


def test_an_action_waits_when_told_to_stop_and_goes_on_in_the_next_run(drill: Drill) -> None:
    break_sysctl(drill.machine)
    drill.run(stopping=lambda: True)
    assert (incident(drill, SYSCTL).state, incident(drill, SYSCTL).reason) == ("waiting", "stop")

    drill.run()

    assert states(drill, SYSCTL)[-1] == "soak"


def test_longer_confirmation_takes_a_later_run(drill: Drill) -> None:
    drill.edit("policies/guards.yaml", guards("confirm_s: 600\n"))
    break_service(drill.machine)
    assert statuses(drill.run())[SERVICE] == "fail"
    assert incident(drill, SERVICE).state == "detected"
    drill.run(after_s=300)
    assert (incident(drill, SERVICE).state, drill.carried) == ("detected", [])

    drill.run(after_s=300)

    assert incident(drill, SERVICE).state == "soak"


def test_every_run_entry_carries_the_register_that_its_entries_add_up_to(drill: Drill) -> None:
    for number in range(4):
        break_sysctl(drill.machine)
        if number % 2:
            break_service(drill.machine)
        drill.run(after_s=2000)

    runs: list[Mapping[str, Any]] = drill.bodies("run")

    target = f"{drill.records()[0].entry.client}/{drill.records()[0].entry.host}"
    assert Register.from_body(runs[-1]["register"], target) == register(drill)


def test_what_another_action_put_right_is_not_acted_on(drill: Drill) -> None:
    def put_right(where: str) -> None:
        if where == "after-outcome":
            drill.machine.files["/etc/bridge/key"].mode = 0o600
            drill.machine.sysctls["net.ipv4.tcp_syncookies"] = "1"

    break_sysctl(drill.machine)
    break_secret(drill.machine)

    report = drill.run(hook=put_right)

    assert len(report.plan.actions) == 2
    (outcome,) = report.outcomes
    (spared,) = {SYSCTL, SECRET} - set(outcome.rules)
    assert states(drill, spared)[-1] == "resolved_itself"
    assert report.not_done == ()
    assert drill.kinds() == ["genesis", "intent", "outcome", "run"]
