from typing import Any

import pytest

from reconciler.checks.appliance.app_intent_001 import CHECK, INTENT
from reconciler.errors import Unobservable
from reconciler.model.answer import Answer
from tests.support.looking import ok, values

TRUSTED = {"trusted": True, "commit": "a" * 40, "refused": None, "reason": None, "age_s": 90_000}


def test_a_trusted_state_names_its_commit() -> None:
    assert values(CHECK, {INTENT: ok(TRUSTED)}) == {
        "trusted": True,
        "accepted": "a" * 40,
        "refused": None,
        "reason": None,
        "age_h": 25,
    }


def test_a_refusal_names_the_commit_and_the_reason() -> None:
    refusal = {"trusted": False, "refused": "b" * 40, "reason": "not-fast-forward"}
    told = values(CHECK, {INTENT: ok(TRUSTED | refusal)})

    assert (told["trusted"], told["refused"], told["reason"]) == (
        False,
        "b" * 40,
        "not-fast-forward",
    )


@pytest.mark.parametrize(
    "answer",
    [
        Answer("error", reason="no network"),
        ok(TRUSTED | {"commit": "main"}),
        ok(TRUSTED | {"reason": "Signed by Bob <bob@example.com>"}),
        ok(TRUSTED | {"trusted": None}),
        ok({"trusted": True}),
    ],
)
def test_anything_else_is_unobservable(answer: Any) -> None:
    with pytest.raises(Unobservable):
        values(CHECK, {INTENT: answer})
