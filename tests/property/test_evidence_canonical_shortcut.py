"""Documents that are not looked at item by item are judged as those that are."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.errors import EvidenceError
from reconciler.evidence import canonical

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([0, -1, 10**14, 10**15, 2**53 - 1, 2**53, -(2**53), 10**16, 1.5]),
    st.text(st.sampled_from('a1é"\\[]{}: ,\x1f'), max_size=4),
    st.just("1" * 20),
)
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["a", "b", "é", "[", "]"]), inner, max_size=3),
    ),
    max_leaves=8,
)


def wrapped(document: object, depth: int, breadth: int, ends: str) -> str:
    """The document under many brackets, beside others, with brackets in text around it."""
    inner = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    beside = ",".join(['{"a":[]}'] * breadth + [f'"{ends}"', inner, f'"{ends}"'])
    return "[" * depth + beside + "]" * depth


def judged(data: bytes) -> object:
    try:
        return canonical.decode(data)
    except EvidenceError as error:
        return error.message


@settings(derandomize=True, max_examples=200, deadline=None)
@given(
    st.builds(
        wrapped,
        DOCUMENTS,
        st.integers(1, 34),
        st.integers(0, 40),
        st.text(st.sampled_from("[]{}x"), max_size=3),
    ),
    st.sampled_from(["", " ", "-", "0", ",", "["]),
    st.integers(0, 60),
)
def test_the_shortcut_changes_no_judgement(text: str, spoil: str, at: int) -> None:
    data = (text[:at] + spoil + text[at:]).encode()
    short = judged(data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(canonical, "_plain", lambda _data: False)
        assert judged(data) == short


@pytest.mark.parametrize("number", ["10000000000000000", "-10000000000000000", "9007199254740992"])
@pytest.mark.parametrize("form", ["{}", "[{}]", "[1,{}]", '{{"a":{}}}'])
def test_a_long_number_is_found_wherever_it_stands(number: str, form: str) -> None:
    with pytest.raises(EvidenceError, match="beyond"):
        canonical.decode(form.format(number).encode())


def test_brackets_in_text_do_not_hide_depth() -> None:
    deep = '["]",' * 40 + '"[","["' + ',"["]' * 39 + "]"
    assert json.loads(deep)
    with pytest.raises(EvidenceError, match="deeper than 32"):
        canonical.decode(deep.encode())
