r"""A sheet as a page for paper: one typst program that never changes, and data that is no program.

Rule 1: Nothing that a machine or a person wrote becomes markup: all of it is JSON, which the
        program reads and sets as text.
Rule 2: Letters that the built-in fonts lack are written as ``\u{...}``, so that nothing is hidden
        and no text can keep the page from being made.
Rule 3: The same sheet gives the same bytes: its date is the end of the period, its fonts come with
        typst, and the clock is not read.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from reconciler.evidence.canonical import encode
from reconciler.report import words
from reconciler.report.citation import Citation
from reconciler.report.control_sheet import NOTHING, Part, Row, Sheet
from reconciler.report.gap_text import described, moment

MOST_ROWS = 1000
"""On paper, of all hosts: 80 pages, 4 s, 300 MB. The rest is in the CSV, and the page says so."""

_LONGEST_WORD = 36
_WORD = re.compile(rf"(\S{{{_LONGEST_WORD}}})(?=\S)")
_BREAK = "\u200b"
# Measured with the fonts that typst brings: Latin, Latin-1 (without the soft hyphen), Extended-A.
_SET = re.compile(r"[\x20-\x7e\xa1-\xac\xae-\u017f…–—‘’“”]")  # noqa: RUF001 - these are meant

PROGRAM = b"""\
#let data = json(bytes(sys.inputs.data))
#let (year, month, day) = data.date
#set document(title: data.title, author: "reconciler",
  date: datetime(year: year, month: month, day: day, hour: 0, minute: 0, second: 0))
#set page(paper: "a4", margin: (x: 18mm, top: 18mm, bottom: 20mm), footer: context {
  set text(size: 7.5pt, fill: luma(60))
  [#data.footer #h(1fr) #counter(page).display("1 / 1", both: true)]
})
#set text(font: "Libertinus Serif", fallback: false, size: 10pt, lang: "en")
#set par(leading: 0.55em)
#show heading.where(level: 1): set text(size: 15pt)
#show heading.where(level: 2): set text(size: 12pt)
#show heading.where(level: 2): set block(above: 1.6em, below: 0.8em)
#let mono(said) = text(font: "DejaVu Sans Mono", size: 6pt, said)
#let cited(name, where) = (name, where.at, where.entry, mono(where.sha256))

= #data.title
#for line in data.lead [#par(line)]

#for part in data.parts {
  heading(level: 2, part.title)
  for line in part.lead { par(line) }
  if part.rows.len() > 0 {
    table(
      columns: (22mm, 1fr),
      inset: (x: 3pt, y: 5pt),
      stroke: (x, y) => (top: 0.4pt + luma(120)),
      table.header([*Status*], [*Rule, what was seen, and the entries that show it*]),
      ..part.rows.map(row => (
        [*#row.status*],
        table.cell(breakable: false, {
          block(below: 4pt)[*#row.rule* #h(0.6em) #row.about]
          block(below: 4pt, row.detail)
          set text(size: 8pt)
          grid(
            columns: (auto, auto, auto, 1fr),
            column-gutter: 6pt,
            row-gutter: 3pt,
            ..cited("first", row.first),
            ..cited("last", row.last),
          )
          block(above: 4pt, row.since)
        }),
      )).flatten(),
    )
  }
  if part.gaps.len() > 0 {
    heading(level: 3, "Times without a run")
    list(..part.gaps)
  }
}

== How to check this page
#for line in data.check [#par(line)]
"""


def data(sheet: Sheet) -> str:
    """What the program sets, as JSON.

    Raises:
        EvidenceError: Something of it has no canonical form.
    """
    year, month, day = map(int, sheet.period.end[:10].split("-"))
    title = f"{sheet.control}: evidence from {sheet.period.start[:10]} to {sheet.period.end[:10]}"
    document = {
        "title": _text(title),
        "date": [year, month, day],
        "footer": _text(f"{sheet.control}, {sheet.period.start} to {sheet.period.end}"),
        "lead": [_text(line) for line in _lead(sheet)],
        "parts": list(_parts(sheet)),
        "check": [_text(line) for line in _CHECK],
    }
    return encode(document).decode()


_CHECK = (
    "This page is a copy for reading and proves nothing by itself. Each status names the first and"
    " the last entry of the period that show it, with the SHA-256 of the signed statement.",
    "HOW-TO-CHECK.md in the same kit shows how to find an entry in evidence.bundle, and how to"
    " check its signature and its place with git, ssh-keygen and sha256sum.",
    "What checks of machines show is not the whole of a provision: whether it is met is for a"
    " person to decide.",
)


_CUT = "There is more than fits on paper; the CSV file beside this page has all."


def _lead(sheet: Sheet) -> Iterable[str]:
    if sheet.empty:
        yield f"Statement: there is {NOTHING}, on {_hosts(sheet)}."
        return
    yield (
        f"What the checks on this control found on {_hosts(sheet)}. A status is one only with an"
        " observed value; what could not be observed is unknown and is not counted as passed."
    )


def _hosts(sheet: Sheet) -> str:
    number = len(sheet.parts)
    return "one host" if number == 1 else f"{number} hosts"


def _parts(sheet: Sheet) -> Iterator[dict[str, Any]]:
    left = MOST_ROWS
    for part in sheet.parts:
        rows = part.rows[:left]
        left -= len(rows)
        gaps = part.view.gaps[:left]
        left -= len(gaps)
        cut = len(rows) < len(part.rows) or len(gaps) < len(part.view.gaps)
        survey = part.view.survey
        yield {
            "title": _text(f"{survey.client}/{survey.host}"),
            "lead": [_text(line) for line in (*_part_lead(part), *([_CUT] if cut else []))],
            "rows": [_row(row) for row in rows],
            "gaps": [
                _text(f"{moment(g.begin)} to {moment(g.end)} (entry {g.seq}): {described(g)}")
                for g in gaps
            ],
        }


def _part_lead(part: Part) -> Iterable[str]:
    survey = part.view.survey
    entries = sum(survey.counts.values())
    gaps = len(part.view.gaps)
    yield f"Runs: {survey.runs}. Entries: {entries}. Times without a run: {gaps}."
    if not part.rows:
        yield f"Statement: there is {NOTHING} on this host."
        return
    counts = ", ".join(f"{n} {name.replace('_', ' ')}" for name, n in part.state.counts.items())
    yield f"Rules at the end of the period: {counts or 'none'}."


def _row(row: Row) -> dict[str, Any]:
    span = row.span
    about = [span.check, span.severity, span.exception and f"exception {span.exception}"]
    about += [span.risk_accepted and words.gap(span.risk_accepted)]
    return {
        "status": _text(span.status.replace("_", " ")),
        "rule": _text(span.rule),
        "about": _text(", ".join(word for word in about if word) or "an action that was not begun"),
        "detail": _text(span.detail or "no details"),
        "since": _text(
            f"since {row.since} (entry {row.since_seq}); shown by {span.runs} of the period's runs"
        ),
        "first": _cited(span.first),
        "last": _cited(span.last),
    }


def _cited(where: Citation) -> Mapping[str, str]:
    return {"at": where.at, "entry": f"entry {where.seq}", "sha256": where.digest}


def _text(said: str) -> str:
    """One line that the page can set and that cannot run off it."""
    line = "".join(c if _SET.match(c) else f"\\u{{{ord(c):x}}}" for c in words.clip(said, 2000))
    return _WORD.sub(rf"\1{_BREAK}", line)
