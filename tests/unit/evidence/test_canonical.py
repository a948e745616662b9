import json

import pytest

from reconciler.errors import EvidenceError
from reconciler.evidence.canonical import MAX_DEPTH, MAX_INTEGER, decode, digest, encode


def test_writes_sorted_compact_utf8() -> None:
    value = {"b": [1, True, None, 'é\u2028\x07"\\/'], "a": {"y": -1, "x": ""}}
    assert encode(value) == (
        b'{"a":{"x":"","y":-1},"b":[1,true,null,"\xc3\xa9\xe2\x80\xa8\\u0007\\"\\\\/"]}'
    )


@pytest.mark.parametrize("value", [MAX_INTEGER, -MAX_INTEGER, 0, "", [], {}, None, False])
def test_reads_back_what_it_wrote(value: object) -> None:
    assert decode(encode(value)) == value


class Loud(str):
    """A subclass could print itself as something else."""


@pytest.mark.parametrize(
    "value",
    [
        1.0,
        float("nan"),
        MAX_INTEGER + 1,
        -MAX_INTEGER - 1,
        b"bytes",
        (1, 2),
        {1: "a"},
        {"é": 1},
        {None: 1},
        {Loud("a"): 1},
        Loud("a"),
        "\ud800",
        pytest.param(object(), id="an object"),
        {"a": [{"b": 0.5}]},
    ],
    ids=repr,
)
def test_refuses_what_has_no_exact_form(value: object) -> None:
    with pytest.raises(EvidenceError):
        encode(value)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b'{"a":1,"a":1}', "canonical form"),
        (b'{"a":1,"a":2}', "canonical form"),
        (b'{"b":1,"a":2}', "canonical form"),
        (b'{"a": 1}', "canonical form"),
        (b'{"a":1}\n', "canonical form"),
        (b'{"a":"\\u0041"}', "canonical form"),
        (b'{"a":"\\/"}', "canonical form"),
        (b"-0", "canonical form"),
        (b"1.0", "not an integer"),
        (b"1e3", "not an integer"),
        (b"NaN", "not an integer"),
        (b"[Infinity]", "not an integer"),
        (b"9007199254740993", "2^53"),
        (b"1" * 5000, "not JSON"),
        (b'{"\xc3\xa9":1}', "ASCII"),
        (b'"\\ud800"', "surrogate"),
        (b"\xff", "not JSON"),
        (b"\xef\xbb\xbf{}", "not JSON"),
        (b"", "not JSON"),
        (b"{}{}", "not JSON"),
        (b"[" * 33 + b"]" * 33, "deeper"),
        (b"[" * 100_000 + b"]" * 100_000, "deeper"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_refuses_every_other_spelling(data: bytes, says: str) -> None:
    with pytest.raises(EvidenceError, match=says.replace("^", r"\^")):
        decode(data)


def test_refuses_more_than_the_limit_before_it_parses() -> None:
    with pytest.raises(EvidenceError, match="larger than 10"):
        decode(b'"' + b"a" * 20 + b'"', limit=10)


def test_allows_exactly_the_depth_it_promises() -> None:
    deep: object = []
    for _ in range(MAX_DEPTH - 1):
        deep = [deep]
    assert decode(encode(deep)) == deep
    with pytest.raises(EvidenceError, match="deeper"):
        encode([deep])


def test_digest_of_a_value_is_the_digest_of_its_bytes() -> None:
    value = {"z": 1, "a": [True]}
    assert digest(value) == digest(encode(value)) == digest(json.loads(encode(value)))
    assert digest(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
