from typing import Any

import pytest

from reconciler.checks.parsing.records import from_json, record, records, texts
from reconciler.errors import Unobservable


def test_values_come_out_by_name_and_type() -> None:
    answer = record({"name": "sshd", "port": 22, "on": True, "unit": None}, "answer")

    assert answer.text("name") == "sshd"
    assert answer.whole("port") == 22
    assert answer.flag("on") is True
    assert answer.optional_text("unit") is None


@pytest.mark.parametrize(
    ("how", "value"),
    [
        ("text", 22),
        ("text", None),
        ("text", "x" * 257),
        ("whole", True),
        ("whole", -1),
        ("whole", 2**53),
        ("whole", 1.0),
        ("whole", "22"),
        ("flag", 1),
        ("flag", "true"),
        ("optional_text", 7),
        ("optional_whole", "7"),
    ],
)
def test_a_value_of_another_type_or_range_is_unobservable(how: str, value: Any) -> None:
    with pytest.raises(Unobservable, match="field"):
        getattr(record({"field": value}, "answer"), how)("field")


@pytest.mark.parametrize("how", ["text", "whole", "flag", "optional_text", "optional_whole"])
def test_a_missing_name_is_unobservable_even_when_it_may_be_null(how: str) -> None:
    with pytest.raises(Unobservable, match="field"):
        getattr(record({}, "answer"), how)("field")


@pytest.mark.parametrize("data", [None, "text", 3, [], b"{}"])
def test_only_an_object_is_a_record(data: Any) -> None:
    with pytest.raises(Unobservable, match="not an object"):
        record(data, "answer")


@pytest.mark.parametrize("data", [None, {}, "abc", [{}] * 65_537])
def test_only_a_list_of_bearable_length_holds_records(data: Any) -> None:
    with pytest.raises(Unobservable, match="not a list"):
        records(data, "answer")


@pytest.mark.parametrize("data", [["a", 1], [None], ["x" * 300], "abc"])
def test_only_short_texts_are_texts(data: Any) -> None:
    with pytest.raises(Unobservable, match="list"):
        texts(data, "answer")


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "1" * 5000, "\x00"])
def test_what_is_not_json_is_unobservable(text: str) -> None:
    with pytest.raises(Unobservable, match="not JSON"):
        from_json(text, "answer")
