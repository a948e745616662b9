"""A sheet as CSV for a spreadsheet: one row a status, a time without runs, or "nothing".

Source: RFC 4180; OWASP, CSV injection. Every cell is quoted. A cell that a spreadsheet would take
for a formula gets an apostrophe before it, so that text from a machine calculates nothing.
"""

import re
from collections.abc import Iterator, Sequence

from reconciler.evidence.whole import Gap
from reconciler.report import words
from reconciler.report.control_sheet import NOTHING, Row, Sheet
from reconciler.report.gap_text import described, moment

COLUMNS = (
    "control", "client", "host", "record", "rule", "check", "status", "severity", "exception",
    "risk_accepted_noncompliant",
    "since", "since_entry", "first_seen", "first_entry", "first_sha256", "first_commit",
    "last_seen", "last_entry", "last_sha256", "last_commit", "runs", "detail",
)  # fmt: skip
BYTE_ORDER_MARK = "\ufeff"
"""Without it Excel takes UTF-8 for the local code page."""

# The wide forms are read as formulas, too, where the language of the spreadsheet is East Asian.
_FORMULA = re.compile(r"\s*[=+\-@＝＋－＠]")  # noqa: RUF001 - these are meant
_LONGEST = 2000


def csv(sheet: Sheet) -> bytes:
    """The file."""
    rows = [COLUMNS, *_rows(sheet)]
    lines = [",".join(map(_cell, row)) for row in rows]
    text = BYTE_ORDER_MARK + "".join(f"{line}\r\n" for line in lines)
    return text.encode("utf-8", "backslashreplace")


def _rows(sheet: Sheet) -> Iterator[Sequence[str]]:
    for part in sheet.parts:
        survey = part.view.survey
        head = (sheet.control, survey.client, survey.host)
        if not part.rows:
            detail = f"{NOTHING}; {survey.runs} runs of this host are in it"
            yield _row(*head, "nothing", first=(sheet.period.start,), last=(sheet.period.end,),
                       detail=detail)  # fmt: skip
        for row in part.rows:
            yield _finding(head, row)
        for gap in part.view.gaps:
            yield _gap(head, gap)


def _finding(head: tuple[str, str, str], row: Row) -> Sequence[str]:
    span = row.span
    first, last = span.first, span.last
    return _row(
        *head,
        "finding" if span.about == "finding" else "action-not-begun",
        said=(
            span.rule,
            span.check,
            span.status,
            span.severity,
            span.exception or "",
            span.risk_accepted or "",
        ),
        since=(row.since, str(row.since_seq)),
        first=(first.at, str(first.seq), first.digest, first.commit),
        last=(last.at, str(last.seq), last.digest, last.commit),
        runs=str(span.runs),
        detail=span.detail,
    )


def _gap(head: tuple[str, str, str], gap: Gap) -> Sequence[str]:
    return _row(
        *head,
        "gap",
        first=(moment(gap.begin),),
        last=(moment(gap.end), str(gap.seq)),
        detail=described(gap),
    )


def _row(
    control: str,
    client: str,
    host: str,
    record: str,
    *,
    said: Sequence[str] = (),
    since: Sequence[str] = (),
    first: Sequence[str] = (),
    last: Sequence[str] = (),
    runs: str = "",
    detail: str,
) -> Sequence[str]:
    parts = ((said, 6), (since, 2), (first, 4), (last, 4))
    filled = [cell for cells, wide in parts for cell in (*cells, *[""] * (wide - len(cells)))]
    return (control, client, host, record, *filled, runs, detail)


def _cell(said: str) -> str:
    text = words.clip(said, _LONGEST)
    if _FORMULA.match(text):
        text = f"'{text}"
    return '"' + text.replace('"', '""') + '"'
