"""A review for the comment on a pull request.

Rule 1: What comes from a repository stands only inside fences and code spans, where nothing is a
        tag, a mention, a link or a reference, whatever it looks like; and no fence can be closed
        from inside, because it is longer than any run of its characters in it.
Rule 2: The verdict is the first line. The whole fits into one comment, and says what it left out.
"""

import re

from reconciler.model.review import Remark, Review
from reconciler.report import gate_words as words
from reconciler.report.gate_sections import Section, sections

MOST = 60_000
"""Bytes; GitHub takes 65,536 characters in a comment."""
_LIMITS = (400, 200, 100, 50, 25, 12, 6, 3, 1)
_LONGEST_LINE = 600


def render(review: Review) -> str:
    """The whole comment; ends with a newline."""
    more = "run `reconciler plan` on the two commits to see them"
    return _fit(_head(review), sections(review), more)


def render_remarks(title: str, remarks: tuple[Remark, ...]) -> str:
    """The comment of a check that compares nothing.

    Args:
        title: The verdict, in our own words.
        remarks: What was found.
    """
    lines = tuple(
        line
        for found in remarks
        for line in (f"! {found.severity}: {words.remark(found)}", f"    {words.value(found.hint)}")
    )
    found = [Section("What was found", lines, loud=True)] if lines else []
    return _fit([f"**{title}**"], found, "run `reconciler check` to see them")


def code(text: str) -> str:
    """Text as a code span that ends where it should."""
    line = words.value(text) or " "
    ticks = "`" * (_longest_run(line) + 1)
    return f"{ticks} {line} {ticks}" if "`" in line else f"`{line}`"


def _head(review: Review) -> list[str]:
    lines = [f"**{words.verdict(review)}**", ""]
    for label, named in (("base", review.base), ("head", review.head)):
        lines.append(f"- {label} {code(named.name)} is commit {code(named.commit)}")
    if review.digest is not None:
        lines.append(f"- plan of the head: {code(f'sha256:{review.digest}')}")
    lines.append(f"- judged at {code(f'{review.at:%Y-%m-%dT%H:%M:%SZ}')}")
    return lines


def _fit(head: list[str], found: list[Section], more: str) -> str:
    """With as many lines of each section as one comment has room for."""
    text = ""
    for limit in _LIMITS:
        text = "\n".join([*head, *(_section(section, limit, more) for section in found)]) + "\n"
        if len(text.encode()) <= MOST:
            break
    return text


def _section(section: Section, limit: int, more: str) -> str:
    shown = [_line(line) for line in section.lines[:limit]]
    left = len(section.lines) - len(shown)
    fence = "`" * max(3, max(map(_longest_run, shown)) + 1)
    body = [f"{fence}diff", *shown, fence]
    if left:
        body += ["", f"… {words.count(left, 'more line')}: {more}."]
    opened = " open" if section.loud else ""
    summary = f"<details{opened}><summary>{section.title} ({len(section.lines)} lines)</summary>"
    return "\n".join(["", summary, "", *body, "", "</details>"])


def _line(line: str) -> str:
    # Lines are made of clipped words; several of them may still be longer than anybody reads.
    return line if len(line) <= _LONGEST_LINE else line[: _LONGEST_LINE - 1] + "…"


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)
