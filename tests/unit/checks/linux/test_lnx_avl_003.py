from typing import Any

import pytest

from reconciler.checks.linux.lnx_avl_003 import CHECK, FAILED
from reconciler.errors import Unobservable
from reconciler.model.answer import Answer
from tests.support.looking import ok, values


def answer(*failed: Any, state: Any = "degraded") -> dict[Any, Answer]:
    return {FAILED: ok({"system_state": state, "failed": list(failed)})}


def test_a_healthy_machine_has_no_failed_unit() -> None:
    assert values(CHECK, answer(state="running")) == {
        "system_state": "running",
        "failed": (),
        "failed_count": 0,
    }


def test_failed_units_are_named_in_order_unless_the_name_is_a_path() -> None:
    told = values(
        CHECK,
        answer(r"media-SMITH\x20JOHN.mount", "media-DOE.mount", "b.timer", "a.service"),
    )

    assert told["failed"] == ("*.mount", "a.service", "b.timer")
    assert told["failed_count"] == 4


@pytest.mark.parametrize(
    "broken",
    [
        answer("no unit"),
        answer(3),
        answer(state="running\nwith more"),
        answer(state=None),
        {FAILED: ok({})},
        {FAILED: Answer("error", reason="no bus")},
    ],
)
def test_an_odd_answer_is_unobservable(broken: dict[Any, Answer]) -> None:
    with pytest.raises(Unobservable):
        values(CHECK, broken)
