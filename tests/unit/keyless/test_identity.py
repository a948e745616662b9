"""Somebody who may sign is named whole, by a plain word."""

import pytest

from reconciler.errors import InputError
from reconciler.keyless.identity import Identity
from reconciler.keyless.said import words

FIELDS = {"name": "ci", "issuer": "https://issuer.example", "identity": "https://job.example"}


def test_a_repository_is_optional() -> None:
    assert Identity(**FIELDS).repository is None
    assert Identity(**FIELDS, repository="https://forge.example/msp/fleet").name == "ci"


@pytest.mark.parametrize(
    "change",
    [
        {"name": ""},
        {"name": "CI job"},
        {"name": "-ci"},
        {"name": "ci\n"},
        {"name": "c" * 64},
        {"issuer": ""},
        {"identity": ""},
        {"repository": ""},
    ],
    ids=str,
)
def test_a_part_of_a_name_is_nobody(change: dict[str, str]) -> None:
    with pytest.raises(InputError) as caught:
        Identity(**FIELDS | change)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ("wrong", "wrong"),
        ("wrong\ninput that somebody chose", "wrong"),
        ("\n  wrong \n", "wrong"),
        ("\x1b[31mred", "?[31mred"),
        ("x" * 300, "x" * 200),
        ("", "ValueError"),
    ],
)
def test_what_a_library_says_is_one_plain_line(said: str, line: str) -> None:
    assert words(ValueError(said)) == line
