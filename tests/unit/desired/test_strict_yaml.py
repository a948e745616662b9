import time

import pytest
import yaml

from reconciler.desired import strict_yaml
from reconciler.desired.strict_yaml import MAX_BYTES, compose, load, validate
from reconciler.errors import ExitCode, InputError
from reconciler.model.tier import Tier

DOCUMENT = b"""\
# a comment
id: one
expect:
  level: {at_least: 3}
  names:
    - a
    - "b: c"
text: |
  two
  lines
"""


def refused(data: bytes, **options: int) -> InputError:
    with pytest.raises(InputError) as caught:
        load(data, "file.yaml", **options)
    return caught.value


def test_a_document_becomes_plain_data_with_tuples_for_lists():
    assert load(DOCUMENT, "file.yaml").value == {
        "id": "one",
        "expect": {"level": {"at_least": 3}, "names": ("a", "b: c")},
        "text": "two\nlines\n",
    }


@pytest.mark.parametrize(
    ("path", "line", "column"),
    [
        ((), 2, 1),
        (("id",), 2, 1),
        (("expect", "level", "at_least"), 4, 11),
        (("expect", "names", 1), 7, 7),
        (("text",), 8, 1),
    ],
)
def test_each_value_knows_its_place(path, line, column):
    place = load(DOCUMENT, "file.yaml").places[path]
    assert (place.line, place.column) == (line, column)


def test_windows_line_ends_are_read_and_counted():
    page = load(DOCUMENT.replace(b"\n", b"\r\n"), "file.yaml")
    assert page.places[("text",)].line == 8
    assert page.value["text"] == "two\nlines\n"


@pytest.mark.parametrize(
    ("data", "line", "message"),
    [
        (b"a: &x 1\n", 1, "anchors and aliases are not allowed"),
        (b"a: 1\nb: *x\n", 2, "anchors and aliases are not allowed"),
        (b"a: 1\n&x b: 2\n", 2, "anchors and aliases are not allowed"),
        (b"<<: {a: 1}\n", 1, "merge keys (<<) are not allowed"),
        (b'"<<": {a: 1}\n', 1, "merge keys (<<) are not allowed"),
        (b"a: !!str 1\n", 1, "the tag tag:yaml.org,2002:str is not allowed"),
        (b"a: ! 1\n", 1, "the tag ! is not allowed"),
        (b"a: 1\nb:\n  - c: 1\n    c: 2\n", 4, "is written twice (first in line 3)"),
        (b"1: a\n", 1, "holds a key that is not text"),
        (b"true: a\n", 1, "holds a key that is not text"),
        (b"? [a]\n: b\n", 1, "holds a key that is not text"),
        (b"%YAML 1.1\n---\na: 1\n", 1, "directives (%YAML, %TAG) are not allowed"),
        (b"%TAG ! x:\n---\na: 1\n", 1, "directives (%YAML, %TAG) are not allowed"),
        (b"a: 1\n---\nb: 1\n", 2, "holds more than one document"),
        (b"a: 1\n...\n---\nb: 1\n", 3, "holds more than one document"),
        (b"a:\n\tb: 1\n", 2, "holds a tab"),
        (b"a: 1\rb: 2\n", 1, "holds the character U+000D"),
        (b"a: \x1b[31m\n", 1, "holds the character U+001B"),
        ("a: \u2028b\n".encode(), 1, "holds the character U+2028"),
        (b'a: 1\nb: "\\x1b[31m"\n', 2, "holds the character U+001B"),
        (b"a: \xff\n", 1, "is not UTF-8"),
        (b"a: 1\nb: \xed\xa0\x80\n", 2, "is not UTF-8"),
        (b"\xef\xbb\xbfa: 1\n", 1, "starts with a byte order mark"),
        (b"a: @\n", 1, "is not YAML: found character that cannot start any token"),
        (b"", None, "is empty"),
        (b"# only a comment\n", None, "is empty"),
        (b"\x00", 1, "holds the character U+0000"),
    ],
)
def test_what_is_not_strict_is_refused_with_its_line(data, line, message):
    error = refused(data)
    assert error.message == message
    assert error.where is not None
    assert (error.where.file, error.where.line) == ("file.yaml", line)
    assert error.hint
    assert error.exit_code is ExitCode.INPUT


def test_a_file_too_large_is_refused_before_it_is_parsed():
    data = b"[" * 50_000_000
    started = time.perf_counter()
    assert refused(data).message == "is larger than 256 KiB"
    assert time.perf_counter() - started < 0.05


def test_the_limit_is_inclusive_and_can_be_lowered():
    assert load(b"#" * (MAX_BYTES - 2) + b"\n1", "file.yaml").value == 1
    assert refused(b"#" * 1025, limit=1024).message == "is larger than 1 KiB"


@pytest.mark.parametrize("opening", [b"[", b"{a: ", b"- ", b"{a: [", b"[{a: "])
def test_depth_is_limited_before_the_stack_is_used(opening):
    assert "deeper than 32 levels" in refused(opening * 20_000).message


def test_thirty_two_levels_are_allowed():
    assert load(b"[" * 32 + b"1" + b"]" * 32, "file.yaml").value


def test_the_number_of_values_is_limited():
    assert "more than 20,000 values" in refused(b"[" + b"1," * 20_001 + b"]").message


@pytest.mark.parametrize(
    "data", [b"&a " * 80_000, b"? " * 100_000, b"!" * 250_000, b"a: " * 80_000, b"%" * 250_000]
)
def test_hostile_input_costs_little(data):
    started = time.perf_counter()
    refused(data)
    assert time.perf_counter() - started < 0.5


@pytest.mark.parametrize("parser", [yaml.SafeLoader, yaml.CSafeLoader])
def test_both_parsers_of_pyyaml_give_the_same(parser):
    text = DOCUMENT.decode()
    assert compose(parser(text), "file.yaml") == load(DOCUMENT, "file.yaml")


def test_a_page_is_validated_against_a_model():
    page = load(b"id: basic\ntitle: Basic\nfeatures: [heal]\n", "tier.yaml")
    assert validate(page, Tier) == Tier(id="basic", title="Basic", features=("heal",))


def test_validation_says_where_and_what():
    page = load(b"id: basic\ntitle: Basic\nfeatures: [heel]\n", "tier.yaml")
    with pytest.raises(InputError) as caught:
        strict_yaml.validate(page, Tier)
    assert str(caught.value).startswith("tier.yaml:3: features[0]: must be 'observe', 'heal'")
    assert caught.value.hint == "Did you mean heal?"
