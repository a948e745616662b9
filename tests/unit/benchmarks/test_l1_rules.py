"""The benchmark of healing rules refuses a row that decides otherwise."""

from typing import Any

import pytest

from benchmarks import l1_peers, l1_rules
from benchmarks.l1_rules import BASE

SCAN = "the same conditions, every rule in turn"


def rows() -> tuple[dict[str, Any], Any, Any]:
    rules = l1_rules._rules(60, 5)
    asked = l1_rules._findings(rules)

    def index(facts: Any, finding: Any) -> Any:
        return made[BASE](facts, finding)

    made = l1_rules._rows(rules, {})
    return {BASE: index, SCAN: made[SCAN]}, rules, asked


def test_the_index_chooses_what_the_scan_chooses_and_not_always_the_same() -> None:
    made, rules, asked = rows()
    l1_rules._same_answers(made, rules, asked)
    chosen = {made[BASE](*one) for one in asked}
    assert None in chosen
    assert len(chosen) > 20


def test_a_row_that_decides_otherwise_stops_the_benchmark() -> None:
    made, rules, asked = rows()
    with pytest.raises(RuntimeError, match="other decides otherwise"):
        l1_rules._same_answers(made | {"other": lambda *_: "r0"}, rules, asked)


def test_a_dictionary_before_a_peer_keeps_the_order_of_rules() -> None:
    rules = l1_rules._rules(60, 5)

    def first(some: Any) -> l1_peers.Decide:
        return lambda facts: next(
            (r.id for r in some if l1_peers.condition(r)["check"] == facts["check"]), None
        )

    decide = l1_peers.by_check(first, rules)
    assert [decide({"check": f"LNX-T{n}-001"}) for n in range(6)] == [
        *(f"r{n}" for n in range(5)),
        None,
    ]
