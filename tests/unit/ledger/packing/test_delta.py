"""Deltas: what is said by a neighbour comes back as it was, and what does not fit is refused."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.ledger.packing import delta
from reconciler.ledger.packing.form import number

LIMIT = 1024 * 1024
BASE = b"".join(b"field %d,value %d\n" % (place, place * 7919) for place in range(60))

PIECES = st.lists(
    st.one_of(
        st.binary(min_size=1, max_size=40),
        st.tuples(st.integers(0, len(BASE)), st.integers(1, 300)).map(
            lambda cut: BASE[cut[0] : cut[0] + cut[1]]
        ),
    ),
    max_size=12,
).map(b"".join)


def said(base: bytes, target: bytes) -> bytes:
    made = delta.make(base, target)
    assert made is not None
    assert delta.apply(base, made, LIMIT) == target
    return made


@settings(derandomize=True, max_examples=300, deadline=None)
@given(PIECES)
def test_whatever_is_said_comes_back(target: bytes) -> None:
    made = delta.make(BASE, target)
    assert made == delta.make(BASE, target)
    if made is not None:
        assert len(made) < len(target)
        assert delta.apply(BASE, made, LIMIT) == target


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 59), st.integers(0, 10**9)), min_size=1, max_size=8))
def test_fields_with_other_values_cost_little_more_than_the_values(
    changes: list[tuple[int, int]],
) -> None:
    fields = BASE.split(b"\n")
    for place, value in changes:
        fields[place] = b"field %d,value %d" % (place, value)
    target = b"\n".join(fields)
    if target != BASE:
        assert len(said(BASE, target)) < 30 + 40 * len(changes)


@pytest.mark.parametrize(
    ("base", "target", "most"),
    [
        pytest.param(BASE, BASE, 8, id="the same"),
        pytest.param(BASE, BASE[:400], 8, id="its beginning"),
        pytest.param(BASE, BASE + b"and one more node", 30, id="it and one more"),
        pytest.param(BASE, BASE[400:], 10, id="its end"),
        pytest.param(BASE, BASE[:400] + bytes(20) + BASE[420:], 40, id="one id changed"),
        pytest.param(BASE, BASE[500:] + BASE[:500], 60, id="the halves swapped"),
        pytest.param(bytes(200_000), bytes(199_999), 30, id="longer than one copy reaches"),
    ],
)
def test_neighbours_of_a_ledger_are_short(base: bytes, target: bytes, most: int) -> None:
    assert len(said(base, target)) <= most


@pytest.mark.parametrize(
    ("base", "target"),
    [
        (b"", b"x" * 100),
        (BASE, b""),
        (b"a" * 100, b"bcdefghij" * 3),
        (bytes(delta.LARGEST + 1), bytes(delta.LARGEST + 1)),
    ],
)
def test_what_gains_nothing_is_not_said(base: bytes, target: bytes) -> None:
    assert delta.make(base, target) is None


HEAD = number(len(BASE)) + number(20)


@pytest.mark.parametrize(
    "spoiled",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(number(len(BASE) + 1) + number(3) + b"\x03abc", id="another base"),
        pytest.param(HEAD + b"\x13" + b"x" * 19, id="too short"),
        pytest.param(HEAD + b"\x15" + b"x" * 21, id="too long"),
        pytest.param(HEAD + b"\x14" + b"x" * 19, id="insertion cut off"),
        pytest.param(HEAD + b"\x91\x05", id="copy cut off"),
        pytest.param(HEAD + b"\x93\x05", id="longer copy cut off"),
        pytest.param(HEAD + b"\xff\x05", id="longest copy cut off"),
        pytest.param(HEAD + b"\x93\xff\xff\x14", id="copy from outside"),
        pytest.param(HEAD + b"\x93\xff\xff\x14" + b"\x14" + b"x" * 20, id="outside and made good"),
        pytest.param(number(len(BASE)) + number(LIMIT + 1), id="beyond the limit"),
        pytest.param(b"\xff" * 20, id="endless number"),
    ],
)
def test_a_delta_that_does_not_fit_is_refused(spoiled: bytes) -> None:
    assert delta.apply(BASE, spoiled, LIMIT) is None


def test_a_delta_that_says_too_much_is_stopped_early() -> None:
    base = bytes(60_000)
    endless = number(len(base)) + number(LIMIT) + b"\x90\x00\xb0\xff\xea" * 100_000
    assert delta.apply(base, endless, LIMIT) is None


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.binary(max_size=60))
def test_garbage_is_refused_or_of_its_stated_size(tail: bytes) -> None:
    made = delta.apply(BASE, HEAD + tail, LIMIT)
    assert made is None or len(made) == 20
