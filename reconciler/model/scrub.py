"""Scrub before sign: what of a free text may be in evidence, for ever.

A reason may quote what a program said: the name of a file, and with it a patient's. What was signed
cannot be taken out again, so everything that is not known to be harmless is left out before, and
counted (45 CFR 164.514(b)(2)(i); `reconciler.model.identifiers` has the kinds).

Rule 1: A text that speaks of a patient is withheld whole.
Rule 2: Of any other, words are kept that are known (`reconciler.model.quotable`), and of these only
        what does not look like an identifier together with its neighbours.
Rule 3: Where something was withheld, days go too, and numbers beside the hole.
Rule 4: Nothing raises, everything ends, and scrubbing again changes nothing.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from reconciler.model import identifiers
from reconciler.model.quotable import (
    EDGES,
    HOLE,
    NOTHING,
    OURS,
    Own,
    is_moment,
    is_number,
    named,
    quoted,
)
from reconciler.model.values import LONGEST_REASON, Value, plain

__all__ = ["NOTHING", "Own", "scrub", "scrub_value"]

_KINDS = (
    identifiers.EMAIL,
    identifiers.WEB,
    identifiers.SSN,
    identifiers.DATE,
    identifiers.PHONE,
    identifiers.RECORD,
    identifiers.DIGITS,
    identifiers.ADDRESS,
    identifiers.SERIAL,
    identifiers.ACCOUNT,
    identifiers.NUMBERED,
    identifiers.PICTURE,
)
_IN_VALUES = (
    identifiers.EMAIL,
    identifiers.WEB,
    identifiers.SSN_WITH_MARKS,
    identifiers.DATE,
    identifiers.PHONE,
    identifiers.ADDRESS,
    identifiers.SERIAL,
    identifiers.ACCOUNT,
    identifiers.NUMBERED,
    identifiers.PICTURE,
    identifiers.PATIENT,
)
_NOTE = re.compile(r"\s*\[withheld: ([0-9]{1,4}) words? that may identify a person\]")
_LIKE_A_NAME = re.compile(r"\b[A-Z][a-z]+\b|[^\W\d_a-zA-Z]")
_ROOM = LONGEST_REASON - 60
_ROUNDS = 8
_STOPS = ".:;,?!"
_SAYS_OF_WHAT = re.compile(
    r"(?:with|status|signal|code|line|entry|intent|port|than|after|within|of)\W*"
)
_EXCEPTION_DAY = re.compile(
    r"exception [a-z0-9-]{1,63} (?:expired on|is decided on) ([0-9]{4}-[0-9]{2}-[0-9]{2})\b"
)


def scrub(text: str, own: Own = NOTHING) -> str:
    """A free text as it may be signed.

    Args:
        text: In anybody's words.
        own: What the desired state in force says; its own words may be said again.

    Returns:
        At most `LONGEST_REASON` characters. Where something was withheld stands an ellipsis, and
        at the end how many words.
    """
    if not text:
        return text
    said = plain(text)
    for _round in range(_ROUNDS):
        before, said = said, _once(said, own)
        if said == before:
            return said
    return _note(len(text.split()))


def scrub_value(value: Value, own: Own = NOTHING) -> Value:
    """An observed value as it may be signed: checks declare its shape, so it is mostly as it was.

    Mount points and rules may hold names that somebody chose: what of a path is not known goes,
    and a text goes whole that looks like an identifier, or that holds a word beside others which
    is not known and looks like a name: a capital, letters beyond ASCII, nothing but letters.
    """
    if isinstance(value, tuple):
        return tuple(_item(one, own) if isinstance(one, str) else one for one in value)
    return _item(value, own) if isinstance(value, str) else value


def _item(text: str, own: Own) -> str:
    if text in own.names:
        return text
    if any(identifiers.spans(_without_ours(text, own), _IN_VALUES)) or _names_somebody(text, own):
        return _note(len(text.split()))
    # One path may hold spaces; a rule has its paths between other words.
    words = [text] if text.startswith("/") else text.split(" ")
    return " ".join(_short(word, own) if word.startswith("/") else word for word in words)


def _names_somebody(text: str, own: Own) -> bool:
    """Whether a text of several words has one that is written like a name and is not known."""
    if text.startswith("/"):
        return False
    words = text.split()
    # Nothing but letters is what people write; a rule of a machine has marks and numbers.
    plain_words = all(word.isalpha() for word in words)
    return len(words) > 1 and any(
        quoted(word, begins=False, own=own) is None
        for word in words
        if plain_words or _LIKE_A_NAME.search(word)
    )


def _short(path: str, own: Own) -> str:
    shown = quoted(path.replace(" ", "\x1f"), begins=False, own=own)
    return HOLE if shown is None else shown.replace("\x1f", " ")


@dataclass(slots=True)
class _Word:
    """One word of a text: where it stands, and what is shown of it; None for nothing."""

    text: str
    start: int
    end: int
    shown: str | None

    @property
    def hole(self) -> bool:
        return self.shown is None or HOLE in self.shown

    @property
    def withheld(self) -> bool:
        """Whether it is withheld now, and was not before."""
        return self.shown is None or (HOLE in self.shown and HOLE not in self.text)


# Guards and checks say the same again, run after run.
@lru_cache(maxsize=4096)
def _once(said: str, own: Own) -> str:
    earlier = sum(int(found) for found in _NOTE.findall(said))
    text = _clipped(_NOTE.sub("", said))
    words = _words(text, own)
    _withhold_suspects(words, text, own)
    if any(word.hole for word in words):
        _withhold_beside_holes(words)
    count = earlier + sum(word.withheld for word in words)
    if not any(word.withheld for word in words):
        return f"{text.strip()} {_note(count)}".lstrip() if count else text
    return f"{_joined(words)} {_note(count)}".lstrip()


def _words(text: str, own: Own) -> list[_Word]:
    ours = [found.span() for found in OURS.finditer(text)]
    ours += [found.span(1) for found in _EXCEPTION_DAY.finditer(text)]
    patient = identifiers.PATIENT[1].search(_without_ours(text, own)) is not None
    words: list[_Word] = []
    begins = True
    for found in re.finditer(r"\S+", text):
        word = found.group()
        shown = None
        if any(start < found.end() and found.start() < end for start, end in ours):
            shown = _around_ours(word)
        if shown is None:
            shown = quoted(word, begins=begins, own=own)
        hidden = patient and word != HOLE
        words.append(_Word(word, *found.span(), None if hidden else shown))
        begins = word[-1] in ".:;?!"
    return words


def _around_ours(word: str) -> str | None:
    core = word.strip(EDGES)
    return word if OURS.fullmatch(core) or core.isdigit() or is_moment(core) else None


def _without_ours(text: str, own: Own) -> str:
    """The text with blanks where things of machines stand."""

    def blank(found: re.Match[str]) -> str:
        return " " * len(found.group())

    def unnamed(found: re.Match[str]) -> str:
        return blank(found) if named(found.group(), own) else found.group()

    return OURS.sub(blank, _EXCEPTION_DAY.sub(blank, re.sub(r"\S+", unnamed, text)))


def _withhold_suspects(words: list[_Word], text: str, own: Own) -> None:
    for start, end in identifiers.spans(_without_ours(text, own), _KINDS):
        for word in words:
            if word.start < end and start < word.end:
                word.shown = None


def _withhold_beside_holes(words: list[_Word]) -> None:
    for word in words:
        if is_moment(word.text):
            word.shown = None
    numbers = range(len(words))
    for at in (*numbers, *reversed(numbers)):
        if is_number(words[at].text) and _exposed(words, at):
            words[at].shown = None


def _exposed(words: list[_Word], at: int) -> bool:
    """Whether a number stands beside a hole, and nothing says what it counts."""
    before = words[at - 1] if at else None
    if before is not None and not before.hole and _SAYS_OF_WHAT.fullmatch(before.text):
        return False
    after = words[at + 1] if at + 1 < len(words) else None
    return any(word is not None and word.hole for word in (before, after))


def _joined(words: list[_Word]) -> str:
    said: list[str] = []
    for word in words:
        if word.shown is not None:
            said.append(word.shown)
            continue
        mark = HOLE + (word.text[-1] if word.text[-1] in _STOPS else "")
        if said and said[-1].startswith(HOLE):
            said[-1] = mark
        else:
            said.append(mark)
    return " ".join(said)


def _clipped(text: str) -> str:
    if len(text) <= _ROOM:
        return text
    kept = text[: _ROOM - 2]
    if not text[_ROOM - 2].isspace():
        kept = (kept.rsplit(None, 1) or [""])[0] if re.search(r"\s", kept) else ""
    return f"{kept.rstrip()} {HOLE}".lstrip()


def _note(count: int) -> str:
    words = "1 word" if count == 1 else f"{min(count, 9999)} words"
    return f"[withheld: {words} that may identify a person]"
