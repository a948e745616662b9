"""What an action of the same run hides or takes away is not acted on by the next one."""

import pytest

from tests.support.drill import SERVICE, SYSCTL, Drill, break_service, break_sysctl
from tests.support.drilled_incidents import incident, states

pytestmark = pytest.mark.integration


def hides_the_parameter(drill: Drill) -> None:
    """After the first action nobody can read the kernel parameter any more."""
    break_service(drill.machine)
    break_sysctl(drill.machine)

    def after(where: str) -> None:
        if where == "after-outcome":
            drill.hanging.update(p for p in drill.asked if "syncookies" in repr(p))

    report = drill.run(hook=after)
    assert [o.rules for o in report.outcomes] == [(SERVICE,)], "what nobody sees was acted on"
    (left,) = report.not_done
    assert (left.action.rules, left.result) == ((SYSCTL,), "deferred")
    assert (left.verdict.guard, left.verdict.ruling) == ("precheck", "defer")


def test_what_cannot_be_seen_any_more_waits_and_says_so(drill: Drill) -> None:
    hides_the_parameter(drill)

    assert drill.machine.sysctls["net.ipv4.tcp_syncookies"] == "0"
    found = [one for body in drill.bodies("intent") for one in body["found"]]
    assert {one["status"] for one in found} == {"fail"}, "an intent is about what was seen"
    waits = incident(drill, SYSCTL)
    assert (waits.state, waits.reason) == ("waiting", "precheck")


def test_it_is_put_right_once_it_is_seen_again(drill: Drill) -> None:
    hides_the_parameter(drill)
    drill.hanging.clear()

    report = drill.run()
    assert [(o.rules, o.result) for o in report.outcomes] == [((SYSCTL,), "healed")]
    assert states(drill, SYSCTL)[-1] == "soak"
    assert drill.verify().ok, drill.verify().sentence
