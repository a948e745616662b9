"""What a page sets: data and no program, and no letter that a font lacks."""

import json
import re
from typing import Any

import pytest

from reconciler.report import pdf_page
from reconciler.report.pdf_page import PROGRAM, data
from tests.support.entries import finding, run
from tests.support.sheets import gap, sheet_of

HOSTILE = '#panic("x") ]] $x$ `raw` \\ "quote" @ref <label> = heading \u202e\u2066 漢 \x1b[31m'


def document(**changes: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(data(sheet_of(run(3, finding("r", "unknown", **changes)))))
    return found


def texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for one in value.values() for text in texts(one)]
    if isinstance(value, list):
        return [text for one in value for text in texts(one)]
    return [value] if isinstance(value, str) else []


def test_a_row_names_the_entries_that_show_a_status() -> None:
    (part,) = document()["parts"]
    (row,) = part["rows"]
    assert (row["status"], row["rule"], row["detail"]) == ("unknown", "r", "could not look")
    assert row["first"]["entry"] == row["last"]["entry"] == "entry 3"
    assert len(row["first"]["sha256"]) == 64
    assert part["lead"][1] == "Rules at the end of the period: 1 unknown."


def test_a_letter_that_no_font_has_is_written_out() -> None:
    (row,) = document(reason=HOSTILE)["parts"][0]["rows"]
    assert '#panic("x") ]] $x$ `raw` \\ "quote" @ref <label> = heading' in row["detail"]
    # Marks that turn the direction of text are taken out before; the rest is spelt.
    assert "??" in row["detail"] and "\\u{6f22}" in row["detail"]
    allowed = re.compile(r"[\x20-\x7e\xa1-\xac\xae-\u017f…–—‘’“”\u200b]*")  # noqa: RUF001
    assert all(allowed.fullmatch(text) for text in texts(document(reason=HOSTILE * 90)))


def test_a_long_word_can_be_broken() -> None:
    (row,) = document(reason="x" * 300)["parts"][0]["rows"]
    assert max(map(len, re.split("[\u200b ]", row["detail"]))) <= 36


def test_nothing_is_a_statement() -> None:
    found = json.loads(data(sheet_of(run(3, finding("r", "pass")), control="x:1")))
    assert found["lead"] == [
        "Statement: there is no evidence of this control in the period, on one host."
    ]
    assert found["parts"][0]["rows"] == []
    assert "Statement" in found["parts"][0]["lead"][1]


def test_times_without_a_run_are_listed() -> None:
    gaps = [gap(9, "2026-03-02T00:00:00Z", "2026-03-02T03:05:00Z")]
    (part,) = json.loads(data(sheet_of(run(3, finding("r", "pass")), gaps=gaps)))["parts"]
    assert part["gaps"] == [
        "2026-03-02T00:00:00.000Z to 2026-03-02T03:05:00.000Z (entry 9): no run for 3 h 5 min, one"
        " was promised every 300 s; the appliance says so itself"
    ]


def test_a_list_that_is_too_long_for_paper_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf_page, "MOST_ROWS", 1)
    gaps = [gap(9, "2026-03-02T00:00:00Z", "2026-03-02T03:05:00Z")]
    for findings in ([finding("a", "pass"), finding("b", "pass")], [finding("a", "pass")]):
        found = sheet_of(run(3, *findings), gaps=gaps)
        (part,) = json.loads(data(found))["parts"]
        assert (len(part["rows"]), part["gaps"]) == (1, [])
        assert "the CSV file beside this page has all" in part["lead"][-1]


def test_the_program_has_no_place_for_text_and_reads_nothing_else() -> None:
    assert b"%" not in PROGRAM and b"{}" not in PROGRAM
    assert not re.search(rb"\b(eval|read|import|include|plugin)\b", PROGRAM)
    assert PROGRAM.count(b"sys.inputs") == 1
