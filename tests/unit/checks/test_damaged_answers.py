"""Every recorded answer, damaged in every place: a check sees typed values, or says why not."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from reconciler.checks.catalogue import load
from reconciler.errors import Unobservable
from reconciler.model.answer import Answer, AnswerStatus
from reconciler.model.check import Check, NotApplicable, Values
from reconciler.model.probe import Probe
from reconciler.model.values import fits
from tests.support.vectors import Vector, all_vectors, run

VECTORS = all_vectors()
DAMAGE: tuple[Any, ...] = (
    None,
    True,
    -1,
    2**70,
    1.5,
    "",
    "\x00",
    "\udcff",
    "x" * 9000,
    [],
    {},
    [{}],
)
SILENCE: tuple[AnswerStatus, ...] = ("absent", "denied", "timeout", "unsupported", "error")
MOST_PLACES = 40


@pytest.mark.parametrize("vector", VECTORS, ids=str)
def test_a_probe_without_an_answer_never_breaks_a_check(vector: Vector) -> None:
    for probe, status in product(vector.answers, SILENCE):
        look(vector, {**vector.answers, probe: Answer(status, reason="on purpose")})


@pytest.mark.parametrize("vector", VECTORS, ids=str)
def test_damage_anywhere_never_breaks_a_check(vector: Vector) -> None:
    for probe, answer in vector.answers.items():
        for data in damaged(answer.data):
            look(vector, {**vector.answers, probe: replace(answer, data=data)})


@pytest.mark.parametrize("vector", VECTORS, ids=str)
def test_cut_text_never_breaks_a_check(vector: Vector) -> None:
    for probe, answer in vector.answers.items():
        if isinstance(answer.data, str | bytes):
            for end in range(0, len(answer.data), max(1, len(answer.data) // 40)):
                look(vector, {**vector.answers, probe: replace(answer, data=answer.data[:end])})


def look(vector: Vector, answers: Mapping[Probe, Answer]) -> None:
    check = load()[vector.check]
    try:
        seen = run(check, replace(vector, answers=answers))
    except Unobservable:
        return
    if not isinstance(seen, NotApplicable):
        assert_typed(check, seen)


def assert_typed(check: Check, values: Values) -> None:
    assert set(values) == set(check.fields)
    for name, value in values.items():
        field = check.fields[name]
        assert (value is None and field.optional) or fits(value, field.kind), (name, value)


def damaged(data: Any) -> Iterator[Any]:
    """The data with one place replaced or left out, for a bounded number of places."""
    for place in list(places(data))[:MOST_PLACES]:
        yield from (changed(data, place, value) for value in DAMAGE)
        if place:
            yield without(data, place)


def places(data: Any, here: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield here
    if isinstance(data, dict):
        inner = list(data.items())
    else:
        inner = list(enumerate(data)) if isinstance(data, list) else []
    for key, value in inner:
        yield from places(value, (*here, key))


def changed(data: Any, place: tuple[Any, ...], value: Any) -> Any:
    if not place:
        return value
    copy = data.copy()
    copy[place[0]] = changed(data[place[0]], place[1:], value)
    return copy


def without(data: Any, place: tuple[Any, ...]) -> Any:
    copy = data.copy()
    if len(place) == 1:
        del copy[place[0]]
    else:
        copy[place[0]] = without(data[place[0]], place[1:])
    return copy
