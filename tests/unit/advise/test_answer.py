import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.advise.answer import judge, text_of, tokens_of
from reconciler.advise.question import ESCALATE
from reconciler.testing.fake_llm import chosen, completion
from tests.support.advising import make_question, timed_desired, timed_runbook

QUESTION = make_question()
CHECK = QUESTION.check
GOOD = next(iter(QUESTION.options))
ANSWER = {"check": CHECK, "choice": GOOD, "confidence_percent": 90}


def result(text: str | None, least: int = 60) -> str:
    return judge(text, QUESTION, least).result


def with_member(name: str, value: str) -> str:
    """A good answer in which one member is whatever is written."""
    parts = {key: json.dumps(one) for key, one in ANSWER.items()} | {name: value}
    return "{" + ",".join(f'"{key}":{one}' for key, one in parts.items()) + "}"


def test_a_clean_choice_is_accepted_and_says_which() -> None:
    said = judge(chosen(CHECK, GOOD, 60), QUESTION, 60)
    assert (said.result, said.choice, said.confidence_percent) == ("accepted", GOOD, 60)


@pytest.mark.parametrize("fence", ["```json\n%s\n```", "```\n%s\n```", "  %s\n"])
def test_a_fence_around_it_is_taken_off(fence: str) -> None:
    assert result(fence % chosen(CHECK, GOOD)) == "accepted"


def test_who_is_not_sure_chooses_nothing() -> None:
    assert result(chosen(CHECK, ESCALATE)) == "escalate"
    assert result(chosen(CHECK, GOOD, 59)) == "low-confidence"
    assert result(chosen(CHECK, GOOD, 0), least=0) == "accepted"


def test_a_choice_for_another_check_is_a_contradiction() -> None:
    assert result(chosen("LNX-SSH-001", GOOD)) == "contradiction"


def test_who_repeats_the_secret_mark_was_told_to() -> None:
    assert result(chosen(CHECK, GOOD) + QUESTION.canary) == "contradiction"
    assert result(with_member("check", json.dumps(QUESTION.canary))) == "contradiction"


def test_an_id_of_another_question_is_no_answer_to_this() -> None:
    other = make_question(nonce=b"m" * 16)
    assert set(other.options).isdisjoint(QUESTION.options)
    assert all(result(chosen(CHECK, key)) == "invalid" for key in other.options)


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "null",
        "[]",
        "true",
        GOOD,
        f"I choose {GOOD}.",
        chosen(CHECK, GOOD) + " as asked",
        chosen(CHECK, GOOD) * 2,
        chosen(CHECK, GOOD)[:-1],
        "{" * 100_000,
        "[" * 100_000,
        " " * 5000 + chosen(CHECK, GOOD),
        json.dumps(ANSWER | {"params": {"unit": "x"}}),
        json.dumps({key: value for key, value in ANSWER.items() if key != "check"}),
        with_member("confidence_percent", "NaN"),
        with_member("confidence_percent", "Infinity"),
        with_member("confidence_percent", "1e15"),
        with_member("confidence_percent", "1000000000000000"),
        with_member("confidence_percent", "9" * 5000),
        with_member("confidence_percent", "101"),
        with_member("confidence_percent", "-1"),
        with_member("confidence_percent", "90.0"),
        with_member("confidence_percent", "true"),
        with_member("confidence_percent", '"90"'),
        with_member("choice", f'["{GOOD}"]'),
        with_member("choice", f'"{GOOD} "'),
        with_member("choice", f'"{GOOD.upper()}"'),
        with_member("choice", '"\u0441' + GOOD[1:] + '"'),
        with_member("choice", '"' + GOOD + '\\u200b"'),
        with_member("choice", '"escalate"'),
        with_member("choice", '"RB-TIME-001"'),
        with_member("choice", "null"),
        '{"choice":"x",' + chosen(CHECK, GOOD)[1:],
        "﻿" + chosen(CHECK, GOOD),
    ],
    ids=lambda text: str(text)[:40],
)
def test_everything_else_is_invalid(text: str | None) -> None:
    assert result(text, least=0) == "invalid"


@given(st.text() | st.binary().map(lambda b: b.decode("latin-1")))
@settings(max_examples=200)
def test_no_text_is_accepted_by_chance(text: str) -> None:
    assert result(text, least=0) == "invalid"


def test_a_candidate_that_repairs_another_check_too_must_be_chosen_for_this_one() -> None:
    wide = timed_runbook(fixes=["LNX-TIME-001", "LNX-SSH-001"])
    question = make_question(timed_desired(wide))
    key = next(iter(question.options))

    assert question.schema["properties"]["check"]["enum"] == ["LNX-SSH-001", "LNX-TIME-001"]
    assert judge(chosen("LNX-SSH-001", key), question, 0).result == "contradiction"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00\xff\xfe",
        b"{}",
        b"[]",
        b'{"choices": []}',
        b'{"choices": null}',
        b'{"choices": [{"message": null}]}',
        b'{"choices": [{"message": {"content": null}}]}',
        completion(None),
        completion(7),
        completion([{"type": "text", "text": "x"}]),
        completion("x")[:-3],
        completion("x").replace(b'"content"', b'"refusal": "no", "content"'),
        completion("x").replace(b'"content"', b'"tool_calls": [{"id": "1"}], "content"'),
        completion("x").replace(b'"assistant"', b'"system"'),
        completion("x").replace(b'{"id"', b'{"id": "y", "id"'),
        json.dumps({"choices": [{"message": {"content": "x"}}] * 2}).encode(),
        b'{"choices":' * 5000,
        completion("x").replace(b"400", b"NaN"),
    ],
    ids=lambda content: str(content[:40]),
)
def test_what_is_no_chat_completion_has_no_words(content: bytes) -> None:
    assert text_of(content) is None


@given(st.binary(max_size=300))
@settings(max_examples=100)
def test_any_bytes_are_read_without_an_error(content: bytes) -> None:
    assert text_of(content) is None
    assert tokens_of(content) is None


def test_words_and_tokens_are_read() -> None:
    content = completion("so", (12, 3))
    assert (text_of(content), tokens_of(content)) == ("so", (12, 3))
    assert tokens_of(completion("so", None)) is None


@pytest.mark.parametrize("usage", [(-1, 3), (1, 10**10), (True, 3), (1.5, 3), ("1", 3)], ids=str)
def test_tokens_that_cannot_be_are_not_counted(usage: Any) -> None:
    assert tokens_of(completion("so", usage)) is None
