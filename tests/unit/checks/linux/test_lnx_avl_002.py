import pytest

from reconciler.checks.linux.lnx_avl_002 import CHECK
from reconciler.checks.parsing.shapes import NOW
from reconciler.errors import Unobservable
from reconciler.model.answer import Answer
from reconciler.model.probe import Probe, UnitStatus
from tests.support.looking import absent_unit, ok, unit, values

PROBE = UnitStatus(("bridge.service",))


def answers(state: object, now: int = 10_000) -> dict[Probe, Answer]:
    return {PROBE: ok({"bridge.service": state}), NOW: ok({"unix_s": now})}


def test_a_unit_that_runs_says_since_when() -> None:
    state = unit(restarts=2, active_since=10_000 - 3600)

    assert values(CHECK, answers(state), unit="bridge.service") == {
        "load_state": "loaded",
        "active_state": "active",
        "sub_state": "running",
        "result": "success",
        "unit_file_state": "enabled",
        "restarts": 2,
        "active_for_min": 60,
    }


def test_a_failed_unit_says_why() -> None:
    told = values(CHECK, answers(unit("failed", result="exit-code")), unit="bridge.service")

    assert (told["active_state"], told["result"], told["active_for_min"]) == (
        "failed",
        "exit-code",
        None,
    )


def test_a_unit_that_does_not_exist_is_seen_as_that() -> None:
    told = values(CHECK, answers(absent_unit()), unit="bridge.service")

    assert (told["load_state"], told["active_state"]) == ("not-found", "inactive")


@pytest.mark.parametrize(
    "state",
    [None, {}, {"active_state": "active"}, unit(restarts="many"), unit(active_since=99_999)],
)
def test_an_odd_state_is_unobservable(state: object) -> None:
    with pytest.raises(Unobservable):
        values(CHECK, answers(state), unit="bridge.service")


@pytest.mark.parametrize("name", ["", "bridge", "../x.service", "a b.service", "x.mountpoint"])
def test_only_the_name_of_a_unit_is_a_unit(name: str) -> None:
    assert CHECK.params["unit"].problem(name) is not None
