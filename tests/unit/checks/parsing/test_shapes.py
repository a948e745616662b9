"""Nothing of an answer is believed before its type and range were looked at."""

from typing import Any

import pytest

from reconciler.checks.parsing import shapes
from reconciler.errors import Unobservable
from reconciler.model.answer import Answer, Answers
from reconciler.model.probe import Command, ReadGlob, StatPaths, UnitStatus

GLOB = ReadGlob("/etc/x/*")
STAT = StatPaths(("/etc/x",))
COMMAND = Command(("true",))
UNITS = UnitStatus(("a.service",))


def answered(probe: Any, data: Any) -> Answers:
    return Answers({probe: Answer("ok", data)})


@pytest.mark.parametrize("text", ["", " 1", "1 ", "+1", "1_0", "\u0663", "1.0", "0x1", "9" * 17])
def test_a_number_is_ascii_digits_only(text: str) -> None:
    with pytest.raises(Unobservable):
        shapes.number(text, "it")


def test_a_number_stays_within_its_bounds() -> None:
    assert shapes.number("7", "it", highest=7) == 7
    assert shapes.number("-7", "it", lowest=-7) == -7
    for text in ("8", "-1", str(2**53)):
        with pytest.raises(Unobservable):
            shapes.number(text, "it", highest=7)


@pytest.mark.parametrize("text", ["", "two words", "\u00e9", "a\n", "\udcff", "a" * 129, "-flag"])
def test_a_word_is_short_plain_and_one(text: str) -> None:
    with pytest.raises(Unobservable):
        shapes.word(text, "it")


@pytest.mark.parametrize("status", ["denied", "error", "", None, 1])
def test_one_unread_file_makes_all_of_a_glob_unknown(status: Any) -> None:
    data = [
        {"path": "/etc/x/a", "status": "ok", "text": ""},
        {"path": "/etc/x/b", "status": status, "text": ""},
    ]
    with pytest.raises(Unobservable):
        shapes.files(answered(GLOB, data), GLOB)


@pytest.mark.parametrize("data", [None, {}, "text", [1], [{}], [{"path": 1, "status": "ok"}]])
def test_files_of_another_shape_are_unknown(data: Any) -> None:
    with pytest.raises(Unobservable):
        shapes.files(answered(GLOB, data), GLOB)


@pytest.mark.parametrize(
    "wrong", [{"mode": True}, {"mode": "0600"}, {"mtime": 1.5}, {"uid": 2**53}, {"type": None}]
)
def test_facts_of_another_type_are_unknown(wrong: dict[str, Any]) -> None:
    row = {"path": "/", "type": "dir", "mode": 0, "uid": 0, "gid": 0, "size": 0, "mtime": 0}
    assert shapes.stats(answered(STAT, [row]), STAT)[0].type == "dir"
    with pytest.raises(Unobservable):
        shapes.stats(answered(STAT, [row | wrong]), STAT)


@pytest.mark.parametrize("data", [{}, {"exit": True, "stdout": "", "stderr": ""}, {"exit": 0}, []])
def test_a_process_without_a_whole_answer_is_unknown(data: Any) -> None:
    with pytest.raises(Unobservable):
        shapes.command(answered(COMMAND, data), COMMAND)


@pytest.mark.parametrize("data", [{}, {"a.service": None}, {"b.service": {}}, []])
def test_a_unit_that_was_not_answered_is_unknown(data: Any) -> None:
    with pytest.raises(Unobservable):
        shapes.units(answered(UNITS, data), UNITS)


def test_a_moment_in_the_future_is_a_wrong_clock_and_not_a_fresh_thing() -> None:
    answers = answered(shapes.NOW, {"unix_s": 10_000})
    assert shapes.age(answers, 4_000, "it") == 6_000
    assert shapes.age(answers, 10_060, "it") == 0
    with pytest.raises(Unobservable, match="future"):
        shapes.age(answers, 20_000, "it")


@pytest.mark.parametrize("text", ["", "[]", "1", "{", "[" * 100_000, "{'a': 1}"])
def test_what_is_no_json_object_is_unknown(text: str) -> None:
    with pytest.raises(Unobservable):
        shapes.json_object(text, "it")


def test_lines_without_comments() -> None:
    assert list(shapes.code_lines(" a \n# b\n\n  #c\nd # e\n")) == ["a", "d # e"]


def test_a_path_that_is_not_plain_is_not_quoted() -> None:
    assert shapes.word_or("/etc/x/a.conf") == "/etc/x/a.conf"
    assert shapes.word_or("/home/Jane Doe/x") == "a file"
