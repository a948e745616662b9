"""Which hosts may run a revision, by rings and promotions alone."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from reconciler.model.rings import Promotions, Rings
from reconciler.trust.rings import may_run
from tests.support.desired_states import frozen, make_desired, make_host

REVISION, OTHER = "a" * 64, "b" * 64
CANARY = {"id": "canary", "hosts": ["clinic/desk"], "soak_h": 24}
EARLY = {"id": "early", "tags": ["early"], "soak_h": 48, "least": 2}
REST = {"id": "rest"}
THREE = (CANARY, EARLY, REST)
VOUCHED = {"host": "clinic/desk", "seq": 7, "sha256": "0" * 64}


def rings(*raw: dict[str, Any]) -> Rings:
    return Rings.model_validate(frozen({"rings": list(raw)}))


def entry(ring: str, revision: str = REVISION, **more: Any) -> dict[str, Any]:
    by = {} if "reason" in more else {"by": [VOUCHED]}
    return {"revision": revision, "ring": ring, "opened": "2026-03-02T09:00:00Z"} | by | more


def promotions(*raw: dict[str, Any]) -> Promotions:
    return Promotions.model_validate(frozen({"promotions": list(raw)}))


def waits(host: str, opened: Promotions, *tags: str, order: Rings | None = None) -> str | None:
    order = rings(*THREE) if order is None else order
    made = make_host(id=host, tags=tags, kind="nixos")
    return may_run(make_desired(host=made, rings=order, promotions=opened), REVISION)


def test_the_first_ring_never_waits_and_the_others_wait_for_their_promotion() -> None:
    nothing = promotions()
    assert waits("desk", nothing) is None
    assert waits("lab", nothing, "early") == "ring early is not open for it"
    assert waits("other", nothing) == "ring rest is not open for it, nor is ring early before it"
    early = promotions(entry("early"))
    assert waits("lab", early, "early") is None
    assert waits("other", early) == "ring rest is not open for it"
    both = promotions(entry("early"), entry("rest"))
    assert waits("other", both) is None


def test_another_revision_or_a_ring_that_was_skipped_opens_nothing() -> None:
    other = promotions(entry("early", OTHER), entry("rest", OTHER))
    assert waits("lab", other, "early") is not None
    assert waits("other", promotions(entry("rest"))) is not None


def test_a_host_that_two_rings_name_waits_for_the_later() -> None:
    assert waits("desk", promotions(), "early") == "ring early is not open for it"


def test_a_fleet_without_rings_has_no_order() -> None:
    assert waits("other", promotions(), order=Rings()) is None


@given(
    st.lists(
        st.tuples(st.sampled_from(["early", "rest"]), st.sampled_from([REVISION, OTHER])),
        max_size=5,
    ),
    st.sampled_from([("desk", ()), ("lab", ("early",)), ("other", ())]),
)
def test_a_ring_is_open_exactly_when_it_and_all_before_it_were_opened(
    opened: list[tuple[str, str]], host: tuple[str, tuple[str, ...]]
) -> None:
    found = waits(host[0], promotions(*(entry(*one) for one in opened)), *host[1])
    needed = {"desk": set(), "lab": {"early"}, "other": {"early", "rest"}}[host[0]]
    mine = {ring for ring, revision in opened if revision == REVISION}
    assert (found is None) is (needed <= mine)


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        ([REST], "one ring is no order"),
        ([CANARY, EARLY], "early is the last ring"),
        ([{"id": "canary", "soak_h": 24}, REST], "canary needs hosts or tags"),
        ([CANARY | {"tags": ["early"]}, REST], "canary needs hosts or tags, and not both"),
        ([{"id": "canary", "hosts": ["clinic/desk"]}, REST], "canary needs soak_h"),
        ([CANARY | {"soak_h": 0}, REST], "greater than or equal to 1"),
        ([CANARY, {"id": "rest", "soak_h": 4}], "rest is the last ring"),
        ([CANARY] * 16 + [REST], "at most 16"),
        ([CANARY | {"open": True}, REST], "Extra inputs"),
    ],
)
def test_rings_that_are_no_order_are_refused(raw: list[dict[str, Any]], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        rings(*raw)


@pytest.mark.parametrize(
    "raw",
    [
        entry("early", by=[]),
        entry("early", reason="Emergency.", by=[VOUCHED]),
        entry("early", "A" * 64),
        entry("early", opened="2026-03-02"),
        entry("early", by=[VOUCHED | {"host": "desk"}]),
        entry("early", by=[VOUCHED | {"seq": -1}]),
        entry("early", by=[VOUCHED] * 1001),
    ],
)
def test_a_promotion_without_what_it_is_by_is_refused(raw: dict[str, Any]) -> None:
    assert promotions(entry("early", reason="Emergency."))
    with pytest.raises(ValidationError):
        promotions(raw)
