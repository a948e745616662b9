from typing import Any

import pytest

from reconciler.checks.linux.lnx_time_001 import CHECK, KERNEL, UNITS
from reconciler.checks.parsing.chronyc import SOURCES, TRACKING
from reconciler.errors import Unobservable
from reconciler.model.answer import Answer
from reconciler.model.probe import Probe
from tests.support.looking import absent_unit, ok, ran, unit, values

REPORT = (
    "C000020C,192.0.2.12,3,1795401793.02,0.000124636,0.0,0.0,-11.8,0.1,16.3,0.0,0.0,0.5,Normal\n"
)
LIST = "^,*,192.0.2.12,2,-1,177,1,-0.00001,-0.00001,0.0016\n"
DOWN = Answer("ok", {"exit": 1, "stdout": "506 Cannot talk to daemon\n", "stderr": ""})


def answers(**units: dict[str, Any]) -> dict[Probe, Answer]:
    given = {f"{name.replace('_', '-')}.service": state for name, state in units.items()}
    return {
        UNITS: ok(dict.fromkeys(UNITS.units, absent_unit()) | given),
        TRACKING: ran(REPORT),
        SOURCES: ran(LIST),
        KERNEL: ok({"synchronised": True, "offset_us": -42, "max_error_us": 900}),
    }


def test_chrony_speaks_for_itself() -> None:
    assert values(CHECK, answers(chrony=unit(), chronyd=unit())) == {
        "daemon": "chrony",
        "unit": "chrony.service",
        "active": True,
        "masked": False,
        "starts_at_boot": True,
        "active_daemons": 1,
        "synchronised": True,
        "offset_us": 124,
        "reachable_sources": 1,
        "falsetickers": 0,
    }


def test_for_timesyncd_the_kernel_answers() -> None:
    seen = values(CHECK, answers(systemd_timesyncd=unit()) | {TRACKING: Answer("absent")})

    assert (seen["daemon"], seen["synchronised"], seen["offset_us"]) == (
        "systemd-timesyncd",
        True,
        42,
    )
    assert seen["reachable_sources"] is None


def test_a_stopped_daemon_keeps_no_time_even_if_the_kernel_still_believes_it() -> None:
    stopped = answers(chrony=unit("inactive")) | {TRACKING: DOWN, SOURCES: DOWN}

    seen = values(CHECK, stopped)

    assert (seen["daemon"], seen["active"], seen["synchronised"]) == ("chrony", False, False)
    assert seen["offset_us"] is None


def test_a_masked_daemon_is_the_one_that_was_meant() -> None:
    masked = unit("inactive", load="masked", file="masked")
    seen = values(CHECK, answers(chrony=masked) | {TRACKING: DOWN, SOURCES: DOWN})

    assert (seen["unit"], seen["masked"], seen["starts_at_boot"]) == ("chrony.service", True, False)


def test_the_daemon_that_runs_comes_before_the_one_that_is_masked() -> None:
    seen = values(
        CHECK,
        answers(systemd_timesyncd=unit("inactive", load="masked", file="masked"), chrony=unit()),
    )

    assert (seen["daemon"], seen["masked"]) == ("chrony", False)


def test_two_daemons_that_fight_are_counted() -> None:
    seen = values(CHECK, answers(chrony=unit(), chronyd=unit(), systemd_timesyncd=unit()))

    assert seen["active_daemons"] == 2


def test_a_machine_without_any_daemon_is_seen_as_that() -> None:
    seen = values(CHECK, answers() | {TRACKING: Answer("absent"), SOURCES: Answer("absent")})

    assert (seen["daemon"], seen["active"], seen["synchronised"]) == (None, False, False)


@pytest.mark.parametrize(
    "broken",
    [
        {TRACKING: DOWN},
        {SOURCES: DOWN},
        {TRACKING: Answer("timeout", reason="5 s")},
        {TRACKING: ran("")},
        {UNITS: Answer("error", reason="no bus")},
        {UNITS: ok({})},
    ],
)
def test_what_was_not_seen_is_unobservable(broken: dict[Probe, Answer]) -> None:
    with pytest.raises(Unobservable):
        values(CHECK, {**answers(chrony=unit()), **broken})
