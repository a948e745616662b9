import pytest

from reconciler.diff.compare import meets
from reconciler.model.expectation import Expectation as E
from reconciler.model.values import Value


def not_(inner: E) -> E:
    return E("not", inner=(inner,))


ABSENT, PRESENT = E("absent", True), E("absent", False)
NON_EMPTY = not_(E("equals", ()))

MET = [
    (E("equals", "no"), "no"),
    (E("equals", 2), 2),
    (E("equals", True), True),
    (E("equals", ("a", "b")), ("a", "b")),
    (E("equals", ()), ()),
    (E("one_of", (1, 2)), 2),
    (E("one_of", ("a", 2)), 2),
    (E("at_least", 1), 1),
    (E("at_most", 1), -5),
    (E("matches", "[a-z]+"), "abc"),
    (E("contains_all", ("a",)), ("b", "a")),
    (E("contains_all", ()), ("b",)),
    (E("contains_none", ("x",)), ("a",)),
    (E("contains_none", ("x",)), ()),
    (E("subset_of", ("a", "b")), ("b", "b")),
    (E("subset_of", ("a",)), ()),
    (E("same_set", ("a", "b")), ("b", "a", "b")),
    (E("same_set", ()), ()),
    (ABSENT, None),
    (PRESENT, 0),
    (PRESENT, ()),
    (E("each", inner=(E("at_least", 1),)), (1, 2)),
    (E("each", inner=(E("at_least", 1),)), ()),
    (E("all", inner=(E("at_least", 1), E("at_most", 3))), 2),
    (E("any", inner=(ABSENT, E("at_most", 3))), None),
    (E("any", inner=(ABSENT, E("at_most", 3))), 3),
    (not_(E("equals", "yes")), "no"),
    (not_(ABSENT), "x"),
    (NON_EMPTY, ("a",)),
]

UNMET = [
    (E("equals", "no"), "yes"),
    (E("equals", ("a", "b")), ("b", "a")),
    (E("one_of", (1, 2)), 3),
    (E("one_of", ()), 3),
    (E("at_least", 2), 1),
    (E("at_most", 2), 3),
    (E("matches", "a"), "ab"),
    (E("matches", "(a+)+"), "a"),
    (E("contains_all", ("a", "b")), ("a",)),
    (E("contains_none", ("a",)), ("a", "b")),
    (E("subset_of", ()), ("a",)),
    (E("same_set", ("a",)), ("a", "b")),
    (ABSENT, ""),
    (PRESENT, None),
    (E("absent", None), None),
    (E("each", inner=(E("at_least", 1),)), (1, 0)),
    (E("all", inner=(E("at_least", 1), E("at_most", 3))), 4),
    (E("any", inner=(ABSENT, E("at_most", 3))), 4),
    (not_(E("equals", "no")), "no"),
    (not_(ABSENT), None),
    (NON_EMPTY, ()),
    (E("all"), 1),
    (E("any"), 1),
    (E("not"), 1),
    (E("each"), (1,)),
]

NOT_COMPARABLE = [
    (E("equals", 1), True),
    (E("equals", 1), "1"),
    (E("equals", "1"), 1),
    (E("equals", ("1",)), (1,)),
    (E("equals", 1), None),
    (E("equals", None), None),
    (E("one_of", (1, 2)), True),
    (E("one_of", (1, 2)), None),
    (E("one_of", ("a",)), ("a",)),
    (E("at_least", 1), True),
    (E("at_least", 1), "2"),
    (E("at_least", 1), None),
    (E("at_most", 1), None),
    (E("at_most", None), 1),
    (E("matches", "a"), None),
    (E("matches", "a"), 1),
    (E("matches", "("), "a"),
    (E("contains_all", ("1",)), (1,)),
    (E("contains_none", ("a",)), None),
    (E("contains_none", ("a",)), "a"),
    (E("subset_of", ("a",)), None),
    (E("same_set", ("a",)), (1, "a")),
    (E("each", inner=(E("equals", 1),)), None),
    (E("each", inner=(E("equals", 1),)), 1),
]


@pytest.mark.parametrize(("expectation", "value"), MET)
def test_met(expectation: E, value: Value) -> None:
    assert meets(expectation, value) is True


@pytest.mark.parametrize(("expectation", "value"), UNMET)
def test_not_met(expectation: E, value: Value) -> None:
    assert meets(expectation, value) is False


@pytest.mark.parametrize(("expectation", "value"), NOT_COMPARABLE)
def test_what_cannot_be_compared_is_not_met_and_its_negation_neither(
    expectation: E, value: Value
) -> None:
    assert meets(expectation, value) is False
    assert meets(not_(expectation), value) is False
    assert meets(not_(not_(expectation)), value) is False
    assert meets(E("any", inner=(expectation, not_(expectation))), value) is False


def test_one_wrong_operand_decides_all_even_beside_one_that_cannot_be_compared() -> None:
    both = E("all", inner=(PRESENT, E("at_least", 1)))
    assert meets(both, None) is False
    assert meets(not_(both), None) is True
