"""The disclosures of a kit: known limitations with their dates, and what this kit itself shows.

What a provider knows is written by people, in a Markdown file beside the evidence: a heading
``## 2026-03-01 Title`` and some lines for each. What is before the first one explains the file and
is left out.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from reconciler.errors import InputError, Where
from reconciler.report import words
from reconciler.report.table import clean

MAX_BYTES = 64 * 1024
MOST = 200

_HEADING = re.compile(r"## ([0-9]{4}-[0-9]{2}-[0-9]{2}) (\S.{0,199})")
_MARKUP = re.compile(r"([<\[`])")
_HINT = "Write '## 2026-03-01 Title', then what the limitation is, since when, and for whom."


@dataclass(frozen=True, slots=True)
class Disclosure:
    """A limitation that somebody wrote down.

    Attributes:
        day: Since when it is known, ``2026-03-01``.
        title: What it is about.
        lines: What it is.
    """

    day: str
    title: str
    lines: tuple[str, ...]


def parse(data: bytes, file: str) -> tuple[Disclosure, ...]:
    """Read a file of disclosures.

    Args:
        data: Its content.
        file: Its name, for messages.

    Raises:
        InputError: Too large, not UTF-8, a heading without a date or title, or nothing under one.
    """
    if len(data) > MAX_BYTES:
        raise InputError("the disclosures are too long", hint=_HINT, where=Where(file))
    try:
        lines = data.decode("utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise InputError("the disclosures are not UTF-8", hint=_HINT, where=Where(file)) from error
    starts = [number for number, line in enumerate(lines) if line.startswith("#")]
    found = []
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        if lines[start].startswith("## "):
            found.append(_one(lines[start], lines[start + 1 : end], Where(file, start + 1)))
        elif found or lines[start].startswith("##"):
            message = f"heading {lines[start]!r:.60} is not that of a disclosure"
            raise InputError(message, hint=_HINT, where=Where(file, start + 1))
    if len(found) > MOST:
        raise InputError(f"more than {MOST} disclosures", hint=_HINT, where=Where(file))
    return tuple(found)


def _one(heading: str, below: Sequence[str], where: Where) -> Disclosure:
    match = _HEADING.fullmatch(heading)
    if match is None:
        raise InputError(f"heading {heading!r:.60} has no date", hint=_HINT, where=where)
    try:
        date.fromisoformat(match[1])
    except ValueError as error:
        raise InputError(f"{match[1]} is not in the calendar", hint=_HINT, where=where) from error
    text = "\n".join(below).strip("\n")
    if not text.strip():
        raise InputError("nothing is disclosed under this heading", hint=_HINT, where=where)
    lines = tuple(clean(line.rstrip()) for line in text.split("\n"))
    return Disclosure(match[1], clean(match[2]), lines)


def page(known: Sequence[Disclosure] | None, own: Iterable[str]) -> bytes:
    """DISCLOSURES.md.

    Args:
        known: What the provider wrote down; None if no file was given.
        own: What this kit itself shows, one sentence or two each.
    """
    lines = [
        "# Disclosures",
        "",
        "What is known to limit what this kit shows. Read it before the rest.",
        "",
        "## Known limitations, as the provider wrote them down",
        "",
        *_known(known),
        "## What this kit itself shows",
        "",
        *(f"- {_plain(said)}" for said in own),
    ]
    return ("\n".join(lines) + "\n").encode("utf-8", "backslashreplace")


def _plain(said: str) -> str:
    """One line that is no markup, whoever reads the page: entries may quote strangers."""
    return _MARKUP.sub(r"\\\1", words.clip(said, 4000))


def _known(known: Sequence[Disclosure] | None) -> list[str]:
    if known is None:
        return ["No file of disclosures was given when this kit was made.", ""]
    if not known:
        return ["The provider's file of disclosures names none.", ""]
    lines = []
    for one in known:
        lines += [f"### {one.day} {one.title}", "", *one.lines, ""]
    return lines
