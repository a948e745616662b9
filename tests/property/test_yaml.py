"""Strict YAML against anything: it answers or refuses, and never differs from a second reader."""

import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from reconciler.desired.strict_yaml import compose, load
from reconciler.desired.yaml_scalars import LARGEST_INTEGER
from reconciler.errors import InputError

PIECES = (
    *("a", "b", "0", "07", "1.5", "true", "null", "~", "é", "c: ", ": ", "- ", "? ", ", "),
    *("[", "]", "{", "}", "'", '"', "|", ">", "&x ", "*x", "!t ", "#", "<<: ", "%", "\\", "@", "`"),
    *("\n", "\n  ", "\n    ", "\r\n", "---\n", "...\n", "\u2028", "\t", "\x00"),
)
YAMLISH = st.lists(st.sampled_from(PIECES), max_size=40).map("".join)
TEXT = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=12)
SCALAR = st.none() | st.booleans() | st.integers(-LARGEST_INTEGER, LARGEST_INTEGER) | TEXT
DATA = st.recursive(
    SCALAR,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(TEXT.filter(lambda key: key != "<<"), inner, max_size=4)
    ),
    max_leaves=20,
)


def frozen(value):
    """Data as the loader gives it: lists are tuples."""
    if isinstance(value, list):
        return tuple(map(frozen, value))
    return {key: frozen(item) for key, item in value.items()} if isinstance(value, dict) else value


def loose(value):
    """Data with every scalar as text, as PyYAML's CBaseLoader gives it."""
    if isinstance(value, tuple):
        return [loose(item) for item in value]
    if isinstance(value, dict):
        return {key: loose(item) for key, item in value.items()}
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data):
    try:
        page = load(data, "f.yaml")
    except InputError as error:
        assert error.message
        assert error.hint
        assert error.where is not None
        assert error.where.file == "f.yaml"
    else:
        assert () in page.places


@given(YAMLISH)
def test_what_is_read_is_what_another_reader_reads(text):
    try:
        value = load(text.encode(), "f.yaml").value
    except InputError:
        return
    assert loose(value) == yaml.load(text, Loader=yaml.CBaseLoader)


@given(YAMLISH)
def test_both_parsers_of_pyyaml_read_the_same_or_refuse(text):
    pages = []
    for parser in (yaml.CSafeLoader, yaml.SafeLoader):
        try:
            load(text.encode(), "f.yaml")
            pages.append(compose(parser(text.replace("\r\n", "\n")), "f.yaml").value)
        except (InputError, yaml.YAMLError):
            return
    assert pages[0] == pages[1]


@given(DATA)
def test_json_is_read_as_json_reads_it(data):
    assert load(json.dumps(data).encode(), "f.yaml").value == frozen(data)


@given(DATA)
def test_what_pyyaml_writes_is_read_as_it_was_or_refused(data):
    text = yaml.safe_dump(data, allow_unicode=True)
    try:
        assert load(text.encode(), "f.yaml").value == frozen(data)
    except InputError as error:
        # PyYAML writes YAML 1.1: texts that only 1.2 readers take for numbers stay unquoted.
        assert "quotes" in error.message or "ambiguous" in error.message or "key" in error.message


@given(DATA.filter(lambda data: isinstance(data, dict) and data))
def test_every_value_has_a_place_inside_the_file(data):
    text = json.dumps(data, indent=1)
    page = load(text.encode(), "f.yaml")
    lines = text.count("\n") + 1
    assert all(1 <= place.line <= lines for place in page.places.values())
    for key in data:
        place = page.places[(key,)]
        line = text.splitlines()[place.line - 1]
        assert line[place.column - 1 :].startswith(json.dumps(key))


@pytest.mark.parametrize("depth", [33, 1000, 100_000])
def test_depth_never_reaches_the_stack(depth):
    with pytest.raises(InputError, match="deeper than 32"):
        load(b"[" * depth + b"1", "f.yaml")
