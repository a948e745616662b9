"""The CSV: every cell quoted, nothing that calculates, one row for each thing that is known."""

import csv as stdlib_csv

import pytest

from reconciler.report.csv_export import COLUMNS, csv
from tests.support.entries import finding, run
from tests.support.sheets import gap, sheet_of


def rows(data: bytes) -> list[dict[str, str]]:
    text = data.decode("utf-8-sig")
    return list(stdlib_csv.DictReader(text.splitlines(), strict=True))


def test_a_row_names_the_entries_that_show_a_status() -> None:
    data = csv(sheet_of(run(3, finding("r", "fail"))))
    (row,) = rows(data)
    assert tuple(row) == COLUMNS
    assert (row["record"], row["rule"], row["status"]) == ("finding", "r", "fail")
    assert (row["since_entry"], row["first_entry"], row["last_entry"], row["runs"]) == (
        "3", "3", "3", "1",
    )  # fmt: skip
    assert len(row["first_sha256"]) == 64 and len(row["first_commit"]) == 40
    assert row["detail"] == "n is 1, expected at most 1"


def test_every_cell_is_quoted_and_every_line_ends_as_the_rfc_says() -> None:
    data = csv(sheet_of(run(3, finding("r", "pass"))))
    assert data.startswith("\ufeff".encode())
    lines = data.decode("utf-8-sig").split("\r\n")
    assert lines.pop() == ""
    for line in lines:
        cells = line[1:-1].split('","')
        assert line[0] == line[-1] == '"' and len(cells) == len(COLUMNS)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", " =", "\t=", "\r@", "＝", "＋", "－", "＠"])  # noqa: RUF001
def test_text_of_a_machine_calculates_nothing(start: str) -> None:
    formula = f'{start}HYPERLINK("http://x.invalid","a")'
    hostile = finding(formula, "unknown", reason=formula, severity=formula, exception=formula)
    (row,) = rows(csv(sheet_of(run(3, hostile))))
    for column in ("rule", "severity", "exception", "detail"):
        assert row[column].startswith("'")
        assert row[column].endswith('HYPERLINK("http://x.invalid","a")')


def test_quotes_lines_and_control_characters_stay_in_their_cell() -> None:
    reason = 'a"b,c\r\nd"\x00e\x1b[2J' + "x" * 5000
    data = csv(sheet_of(run(3, finding("r", "unknown", reason=reason))))
    (row,) = rows(data)
    assert row["detail"].startswith('a"b,c d"?e?[2J')
    assert len(row["detail"]) <= 2000
    assert data.count(b"\n") == 2


def test_nothing_is_a_row_that_says_so() -> None:
    (row,) = rows(csv(sheet_of(run(3, finding("r", "pass")), control="hipaa:164.310(c)")))
    assert row["record"] == "nothing"
    assert row["detail"].startswith("no evidence of this control in the period; 1 runs")
    assert (row["first_seen"], row["last_seen"]) == (
        "2026-03-01T00:00:00.000Z", "2026-03-31T23:59:59.999Z",
    )  # fmt: skip


def test_a_time_without_runs_is_a_row() -> None:
    gaps = [gap(9, "2026-03-02T00:00:00Z", "2026-03-02T03:05:00Z", declared=False)]
    found = rows(csv(sheet_of(run(3, finding("r", "pass")), gaps=gaps)))
    assert [row["record"] for row in found] == ["finding", "gap"]
    assert found[1]["last_entry"] == "9"
    assert found[1]["detail"] == (
        "no run for 3 h 5 min, one was promised every 300 s; the appliance does not say so"
    )


def test_the_same_sheet_gives_the_same_bytes() -> None:
    made = [csv(sheet_of(run(3, finding("r", "pass")))) for _ in range(2)]
    assert made[0] == made[1]
