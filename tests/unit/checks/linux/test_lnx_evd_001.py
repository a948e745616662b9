from typing import Any

import pytest

from reconciler.checks.linux.lnx_evd_001 import CHECK, LEDGER
from reconciler.errors import Unobservable
from reconciler.model.answer import Answer
from tests.support.looking import ok, values

GOOD = {"verified": True, "entries": 40, "newest_age_s": 7200, "open_intents": 0, "faults": 0}


def test_a_chain_that_verifies_has_an_age_in_hours() -> None:
    assert values(CHECK, {LEDGER: ok(GOOD)}) == {
        "verified": True,
        "entries": 40,
        "newest_age_h": 2,
        "open_intents": 0,
        "faults": 0,
    }


def test_an_empty_ledger_has_no_age() -> None:
    told = values(CHECK, {LEDGER: ok(GOOD | {"entries": 0, "newest_age_s": None})})

    assert told["newest_age_h"] is None


@pytest.mark.parametrize(
    "answer",
    [
        Answer("error", reason="the ledger is damaged"),
        ok({**GOOD, "verified": "yes"}),
        ok({**GOOD, "newest_age_s": -1}),
        ok({name: value for name, value in GOOD.items() if name != "newest_age_s"}),
        ok(None),
    ],
)
def test_anything_else_is_unobservable(answer: Any) -> None:
    with pytest.raises(Unobservable):
        values(CHECK, {LEDGER: answer})
