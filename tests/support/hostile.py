"""Answers as a broken or lying machine would give them, near enough to the truth to get far."""

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from reconciler.model.answer import Answer
from reconciler.model.probe import Probe

STATUSES = ("absent", "denied", "timeout", "unsupported", "error")
NASTY = (
    "",
    "\x00",
    "\udcff\udcfe",
    "9" * 5000,
    "-1",
    "1e999",
    "\u0663",
    "null",
    "[" * 3000,
    '"' + '\\"' * 500,
    "\r\n\r\n",
    "é" * 300,
    "%s%n{0}$(id)",
    "../../etc/shadow",
    " " * 2000,
    "a=" * 1000,
)
NASTY_VALUES = (
    None,
    True,
    False,
    0,
    -1,
    2**53,
    2**70,
    -(2**70),
    1.5,
    float("nan"),
    b"\xff",
    [],
    {},
)

text = st.one_of(st.text(max_size=60), st.sampled_from(NASTY))
json = st.recursive(
    st.one_of(st.sampled_from(NASTY_VALUES), st.integers(), text),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=12), inner, max_size=4)
    ),
    max_leaves=8,
)


@st.composite
def mutated_text(draw: st.DrawFn, original: str) -> str:
    """A text with a piece cut out, doubled or replaced."""
    start = draw(st.integers(0, len(original)))
    end = draw(st.integers(start, min(len(original), start + 80)))
    middle = draw(st.one_of(text, st.just(original[start:end] * 2), st.just("\n")))
    return original[:start] + middle + draw(st.sampled_from((original[end:], "")))


@st.composite
def mutated(draw: st.DrawFn, original: Any) -> Any:
    """Data in the shape of the original with one thing wrong, or something else altogether."""
    if draw(st.integers(0, 9)) == 0:
        return draw(json)
    if isinstance(original, str):
        return draw(mutated_text(original))
    if isinstance(original, Mapping) and original:
        key = draw(st.sampled_from(sorted(original)))
        changed = dict(original)
        if draw(st.integers(0, 4)) == 0:
            del changed[key]
        else:
            changed[key] = draw(mutated(original[key]))
        return changed
    if isinstance(original, list) and original:
        position = draw(st.integers(0, len(original) - 1))
        changed_items = list(original)
        changed_items[position] = draw(mutated(original[position]))
        return changed_items + changed_items[:1] * draw(st.integers(0, 1))
    return draw(json)


@st.composite
def hostile_answer(draw: st.DrawFn, original: Answer) -> Answer:
    if draw(st.integers(0, 5)) == 0:
        return Answer(draw(st.sampled_from(STATUSES)), None, "made up")
    return Answer("ok", draw(mutated(original.data)))


@st.composite
def hostile_answers(draw: st.DrawFn, recorded: Mapping[Probe, Answer]) -> Mapping[Probe, Answer]:
    """Recorded answers of which some are replaced."""
    answers = dict(recorded)
    chosen = draw(st.lists(st.sampled_from(list(recorded)), min_size=1, max_size=3, unique=True))
    for probe in chosen:
        answers[probe] = draw(hostile_answer(recorded[probe]))
    return answers
