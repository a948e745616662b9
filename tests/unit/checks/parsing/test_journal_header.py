import struct

import pytest

from reconciler.checks.parsing.journal_header import Span, span, spans
from reconciler.errors import Unobservable
from reconciler.model.answer import Answer, Answers
from reconciler.model.probe import ReadHeads

HEADS = ReadHeads("/var/log/journal/*/system*.journal", length=208)


def header(first_us: int, last_us: int, entries: int = 1) -> bytes:
    made = bytearray(208)
    made[:8] = b"LPKSHHRH"
    struct.pack_into("<Q", made, 152, entries)
    struct.pack_into("<QQ", made, 184, first_us, last_us)
    return bytes(made)


def test_the_span_of_a_file_is_in_its_header() -> None:
    assert span(header(1_000_000, 3_999_999)) == Span(1, 3)


def test_a_file_without_entries_covers_nothing() -> None:
    assert span(header(0, 0, entries=0)) is None


def test_a_clock_that_went_back_does_not_turn_the_span_around() -> None:
    assert span(header(9_000_000, 2_000_000)) == Span(2, 9)


@pytest.mark.parametrize("data", [b"", b"LPKSHHRH", b"\x00" * 208, b"PK" + b"\x00" * 206])
def test_what_is_no_journal_file_is_unobservable(data: bytes) -> None:
    with pytest.raises(Unobservable, match="header"):
        span(data)


def test_files_of_other_machines_do_not_count() -> None:
    given = [
        {"path": f"/var/log/journal/{machine}/system.journal", "status": "ok", "hex": head.hex()}
        for machine, head in (
            ("aa", header(5_000_000, 6_000_000)),
            ("bb", header(1_000_000, 9_000_000)),
        )
    ]

    seen = spans(Answers({HEADS: Answer("ok", given)}), HEADS, "/var/log/journal/aa/")

    assert seen == [Span(5, 6)]


@pytest.mark.parametrize(
    ("status", "text"), [("denied", ""), ("error", ""), ("ok", "zz"), ("ok", "00" * 300)]
)
def test_a_file_that_cannot_be_read_is_unobservable(status: str, text: str) -> None:
    given = [{"path": "/var/log/journal/aa/system.journal", "status": status, "hex": text}]

    with pytest.raises(Unobservable):
        spans(Answers({HEADS: Answer("ok", given)}), HEADS, "/var/log/journal/aa/")
