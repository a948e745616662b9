"""Whether something can meet some conditions: a yes is shown, a no is true, the rest is said."""

from itertools import product
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.diff.compare import meets
from reconciler.model.expectation import Expectation
from reconciler.model.healing_rule import Match
from reconciler.model.rule import bound
from reconciler.model.values import Kind, Value, fits
from reconciler.plan.example import example
from reconciler.plan.satisfy import implied, solve
from tests.support.desired_states import frozen
from tests.support.healing import random_predicate

KINDS: tuple[Kind, ...] = ("bool", "int", "str", "list[str]", "list[int]")
DOMAIN: tuple[Value, ...] = (
    None,
    *(False, True),
    *range(-3, 8),
    *("", "a", "b", "c", "1", "true", "trux", "zz"),
    *(items for size in range(4) for items in product("abc", repeat=size)),
    *(items for size in range(1, 4) for items in product((-1, 0, 1, 2, 3), repeat=size)),
)
"""More than the values that random conditions can tell apart."""


def wanted(written: Any) -> Expectation:
    match = Match.model_validate(
        frozen({"check": "LNX-TIME-001", "where": {"observed.x": written}})
    )
    return bound(match.where["observed.x"], {})


def possible(kind: Kind, optional: bool) -> list[Value]:
    return [v for v in DOMAIN if (v is None and optional) or (v is not None and fits(v, kind))]


@settings(max_examples=500, deadline=None)
@given(st.integers(0, 2**32).map(Random), st.sampled_from(KINDS), st.booleans())
def test_an_answer_is_what_trying_everything_finds(
    chance: Random, kind: Kind, optional: bool
) -> None:
    conditions = [wanted(random_predicate(chance)) for _ in range(chance.randint(1, 3))]
    solved = solve(conditions, kind, optional=optional)
    found = [v for v in possible(kind, optional) if all(meets(c, v) for c in conditions)]
    if solved.answer == "yes":
        assert all(meets(c, solved.value) for c in conditions)
        assert (solved.value is None and optional) or fits(solved.value, kind)
    else:
        assert found == [] or solved.answer == "undecided"


@settings(max_examples=500, deadline=None)
@given(st.integers(0, 2**32).map(Random), st.sampled_from(KINDS), st.booleans())
def test_what_is_implied_holds_for_everything(chance: Random, kind: Kind, optional: bool) -> None:
    by, one = wanted(random_predicate(chance)), wanted(random_predicate(chance))
    if implied([one], [by], kind, optional=optional):
        assert [v for v in possible(kind, optional) if meets(by, v) and not meets(one, v)] == []


@pytest.mark.parametrize(
    ("kind", "conditions", "answer"),
    [
        ("int", [{"at_least": 5}, {"at_most": 4}], "no"),
        ("int", [{"at_least": 5}, {"at_most": 5}], "yes"),
        ("int", [{"at_least": 5}, {"not": 5}, {"at_most": 6}, {"not": 6}], "no"),
        ("int", [{"at_most": -4}, {"not": {"one_of": [-4, -5]}}], "yes"),
        ("bool", [True, {"not": True}], "no"),
        ("bool", [{"not": True}], "yes"),
        ("str", ["a", {"one_of": ["b", "c"]}], "no"),
        ("str", [{"not": "a"}, {"not": "x"}, {"not": "xx"}], "yes"),
        ("str", [{"matches": "a+b"}, {"matches": "[ab]+"}], "yes"),
        ("str", [{"matches": "a.*"}, "ab"], "yes"),
        ("str", [{"matches": "a.*"}, "ba"], "no"),
        ("str", [{"matches": "a.*b"}, {"matches": "ac.*"}], "undecided"),
        ("str", [{"absent": True}], "no"),
        ("list[str]", [{"contains_all": ["a"]}, {"contains_none": ["a"]}], "no"),
        ("list[str]", [{"contains_all": ["a"]}, {"subset_of": ["b"]}], "no"),
        ("list[str]", [{"contains_all": ["a"]}, {"contains_all": ["b"]}], "yes"),
        ("list[str]", [{"same_set": ["a"]}, {"not": {"each": "a"}}], "no"),
        ("list[str]", [{"equals": ["a"]}, {"contains_none": ["a"]}], "no"),
        (
            "list[str]",
            [{"not": {"equals": ["a"]}}, {"same_set": ["a"]}, {"each": "b"}],
            "undecided",
        ),
        ("list[int]", [{"each": {"at_least": 3}}, {"contains_all": [2]}], "no"),
        ("list[int]", [{"each": {"at_least": 3}}, {"contains_all": [4]}], "yes"),
        ("list[str]", [{"contains_all": [*"abcdefghijk"]}, {"not": {"each": "a"}}], "yes"),
        ("list[str]", [{"contains_none": [*"abcdefghijk"]}, {"contains_all": ["a"]}], "undecided"),
    ],
)
def test_answers(kind: Kind, conditions: list[Any], answer: str) -> None:
    assert solve([wanted(one) for one in conditions], kind, optional=False).answer == answer


def test_more_names_than_are_tried_are_not_decided() -> None:
    many = Expectation("not", None, (Expectation("one_of", tuple(range(1_000))),))
    within = (Expectation("at_least", 300), Expectation("at_most", 900))
    assert solve([many, *within], "int", optional=False).answer == "undecided"


@pytest.mark.parametrize(
    ("one", "by", "kind", "optional", "expected"),
    [
        ({"at_least": 3}, {"at_least": 5}, "int", False, True),
        ({"at_least": 5}, {"at_least": 3}, "int", False, False),
        ({"not": 1}, {"not": {"absent": True}}, "int", True, False),
        ({"not": 1}, {"any": [{"absent": True}, 2]}, "int", True, False),
        (
            {"any": [{"absent": True}, {"at_least": 2}]},
            {"any": [{"absent": True}, 2]},
            "int",
            True,
            True,
        ),
        ({"matches": "a+"}, {"one_of": ["a", "aa"]}, "str", False, True),
        ({"matches": "a+"}, {"matches": "aa"}, "str", False, False),
        ({"any": [True, False]}, {"not": True}, "bool", False, True),
    ],
)
def test_implications(one: Any, by: Any, kind: Kind, optional: bool, expected: bool) -> None:
    assert implied([wanted(one)], [wanted(by)], kind, optional=optional) is expected


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"[a-z]+\.service", "a.service"),
        (r"(?:x|y){2,3}z?", "xx"),
        (r"[^a]b\d\w.\D\s\S\W", "Ab0aaa a-"),
        (r"^a$|b", "a"),
        (r"(?>ab)c++", "abc"),
        (r"[\d_]", "0"),
        (r"[^\d]", "a"),
        (r"[^\x00-\U0010ffff]", "a"),
        (r"(a)\1", None),
        (r"(?=a)a", None),
        (r"a{300}", None),
        (r"(?:[a-z]{100}){4}", None),
        ("(", None),
    ],
)
def test_examples(pattern: str, text: str | None) -> None:
    assert example(pattern) == text


def test_repeats_of_repeats_make_no_endless_example():
    assert example("(((((a{200}){200}){200}){200}){200})") is None
    assert example("(?:a{16}){16}") == "a" * 256
