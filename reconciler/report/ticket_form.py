"""Parts of a ticket, and the two forms that people get it in. Text of machines stays text.

Rule 1: In Markdown, whatever is not ours stands inside fences, where nothing is a tag, a mention, a
        link or a reference; no fence can be closed from inside, because it is longer than any run
        of its characters in it.
Rule 2: Where there are no fences (chat, mail), what would be a mention, a link or a tag is spelt so
        that it is none.
Rule 3: It ends: lines, sections and the whole are bounded, and what was left out is counted.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from reconciler.report.words import clip

MOST = 48_000
"""Bytes; GitHub takes 65,536 characters, most chats less and cut for themselves."""
LONGEST_LINE = 400

_LIMITS = (400, 120, 40, 20, 10, 5, 2)
_SPELT = (
    ("@", "(at)"),
    ("<", "\u2039"),
    (">", "\u203a"),
    ("://", ": //"),
    ("](", "] ("),
    ("`", "'"),
    ("www.", "www ."),
)


@dataclass(frozen=True, slots=True)
class Section:
    """One part.

    Attributes:
        title: Ours.
        lines: What it says.
        exact: Ours to the letter, such as a file to copy: never cut and never respelt.
    """

    title: str
    lines: Sequence[str]
    exact: bool = False


def plain_line(text: str) -> str:
    """A text as one line that is no mention, link or tag anywhere."""
    line = clip(text, LONGEST_LINE)
    for meant, said in _SPELT:
        line = line.replace(meant, said)
    return line


def markdown(title: str, lead: Sequence[str], sections: Sequence[Section]) -> str:
    """The whole as Markdown.

    Args:
        title: A heading; respelt.
        lead: Sentences of ours.
        sections: The parts.
    """
    return _fit(lambda most: _markdown(title, lead, sections, most))


def text(lead: Sequence[str], sections: Sequence[Section]) -> str:
    """The whole as plain text, for mail and chat; a title goes beside it."""
    return _fit(lambda most: _text(lead, sections, most))


def _fit(render: Callable[[int], str]) -> str:
    said = ""
    for most in _LIMITS:
        said = render(most)
        if len(said.encode("utf-8", "backslashreplace")) <= MOST:
            break
    return said


def _markdown(title: str, lead: Sequence[str], sections: Sequence[Section], most: int) -> str:
    parts = [f"# {plain_line(title)}", "", *lead]
    for section in sections:
        lines, left = _shown(section, most)
        fence = "`" * max(3, max(map(_longest_run, lines), default=0) + 1)
        parts += ["", f"## {section.title}", "", f"{fence}text", *lines, fence, *left]
    return "\n".join(parts) + "\n"


def _text(lead: Sequence[str], sections: Sequence[Section], most: int) -> str:
    parts = [*lead]
    for section in sections:
        lines, left = _shown(section, most)
        said = lines if section.exact else [plain_line(line) for line in lines]
        parts += ["", section.title.upper(), *said, *left]
    return "\n".join(parts) + "\n"


def _shown(section: Section, most: int) -> tuple[list[str], list[str]]:
    if section.exact:
        return list(section.lines), []
    lines = [clip(line, LONGEST_LINE) for line in section.lines[:most]]
    left = len(section.lines) - len(lines)
    return lines, [f"… and {left} more; the evidence has them all."] if left else []


def _longest_run(line: str) -> int:
    return max((len(run) for run in re.findall("`+", line)), default=0)
