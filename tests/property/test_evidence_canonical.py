"""Our canonical JSON against the reference package, on every value that we accept."""

import json

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.errors import EvidenceError
from reconciler.evidence.canonical import MAX_INTEGER, decode, encode

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
KEYS = st.text(st.characters(max_codepoint=127), max_size=10)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-MAX_INTEGER, MAX_INTEGER) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)


@settings(derandomize=True, max_examples=300, deadline=None)
@given(VALUES)
def test_equals_rfc8785(value: object) -> None:
    assert encode(value) == rfc8785.dumps(value)  # type: ignore[arg-type]
    assert decode(encode(value)) == value


@settings(derandomize=True, max_examples=300, deadline=None)
@given(VALUES, st.integers(0, 10_000), st.integers(1, 255))
def test_what_is_read_is_always_what_would_be_written(value: object, at: int, flip: int) -> None:
    data = bytearray(encode(value))
    data[at % len(data)] ^= flip
    try:
        read = decode(bytes(data))
    except EvidenceError:
        return
    assert encode(read) == bytes(data)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(VALUES)
def test_indented_json_is_refused_unless_it_is_the_same_bytes(value: object) -> None:
    data = json.dumps(value, indent=1, ensure_ascii=True).encode()
    if data != encode(value):
        with pytest.raises(EvidenceError):
            decode(data)
