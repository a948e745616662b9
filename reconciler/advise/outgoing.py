"""What of a value may leave the house in a question to a language model.

Evidence stays with the client; a question goes to somebody else. So the rule here is narrower than
that for evidence (`reconciler.model.scrub`): what the fleet repository says is no reason to pass it
on, and a text is shown only if it is one word of a machine. Every other text becomes a pseudonym,
the same one wherever the same text stands, so that a model can still see what is equal to what.

Rule 1: Fields first: only what a check declares, with its type, is looked at at all.
Rule 2: True and false and small numbers are themselves; a large number keeps two digits.
Rule 3: A text is itself if it has no white space, every part of it is a known word or a short
        number, none is a name of a person, and the scrubber finds nothing; else a pseudonym.
Rule 4: A name of the client, host, site, a declared account or a contact is never shown.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from reconciler.model.scrub import scrub
from reconciler.model.values import Value
from reconciler.model.vocabulary import NAMES, WORDS

MOST_ITEMS = 16
LONGEST_WORD = 64
MOST_WORDS = 24
LARGE = 10**6
_PART = re.compile(r"[0-9]{1,4}")
_NAMES_OF_PEOPLE = frozenset(
    {"day", "field", "fields", "long", "mark", "may", "short", "small", "weeks", "will"}
)
"""Words of the vocabulary that are names, too."""


@dataclass(slots=True)
class Outgoing:
    """What one question shows; remembers its pseudonyms.

    Attributes:
        hidden: Texts in lower case that are never shown, and nothing that has one in it.
        pseudonyms: By the text they stand for.
    """

    hidden: frozenset[str]
    pseudonyms: dict[str, str] = field(default_factory=dict)

    @property
    def withheld(self) -> int:
        """How many different texts were withheld."""
        return len(self.pseudonyms)

    def value(self, value: Value) -> Any:
        """A value as it may leave: JSON without free text."""
        if isinstance(value, tuple):
            shown = [self._scalar(item) for item in value[:MOST_ITEMS]]
            more = len(value) - len(shown)
            return [*shown, {"more": more}] if more else shown
        return None if value is None else self._scalar(value)

    def text(self, text: str) -> str:
        """One text as it may leave: itself, or its pseudonym."""
        if self._may_be_shown(text):
            return text
        return self.pseudonyms.setdefault(text, f"text-{len(self.pseudonyms) + 1}")

    def sentence(self, text: str) -> str:
        """A sentence that an approved document says, with only its known words."""
        words = text.split()[:MOST_WORDS]
        shown = " ".join(word if self._is_said(word) else "…" for word in words)
        return shown if scrub(shown) == shown else "…"

    def _scalar(self, item: bool | int | str) -> Any:
        if isinstance(item, bool):
            return item
        return rounded(item) if isinstance(item, int) else self.text(item)

    def _may_be_shown(self, text: str) -> bool:
        if (
            not text
            or len(text) > LONGEST_WORD
            or not text.isascii()
            or not self._is_harmless(text)
        ):
            return False
        parts = [part for part in re.split(r"[^A-Za-z0-9]+", text) if part]
        return bool(parts) and all(map(_is_known, parts)) and scrub(text) == text

    def _is_said(self, word: str) -> bool:
        parts = [part for part in re.split(r"[^A-Za-z0-9]+", word) if part]
        return word.isascii() and self._is_harmless(word) and all(map(_is_known, parts))

    def _is_harmless(self, text: str) -> bool:
        low = text.lower()
        parts = re.split(r"[^a-z0-9]+", low)
        if any(part in _NAMES_OF_PEOPLE for part in parts) or re.search(r"\s", text):
            return False
        return not any(hidden in low for hidden in self.hidden)


def hidden_names(ids: Iterable[str], texts: Iterable[str] = ()) -> frozenset[str]:
    """What `Outgoing` never shows.

    Args:
        ids: Hidden as they are, and their parts that are no plain words.
        texts: Only their words that are no plain words: a desk is called a desk.
    """
    whole = {name.lower() for name in ids}
    parts = {part for text in (*whole, *texts) for part in re.split(r"[\W_]+", text.lower())}
    return frozenset(one for one in whole | (parts - WORDS) if len(one) > 2)


def rounded(number: int) -> int:
    """A number as it may leave: a large one keeps two digits, which identify nobody."""
    size = abs(number)
    if size < LARGE:
        return number
    digits = str(size)
    return int(digits[:2] + "0" * (len(digits) - 2)) * (1 if number > 0 else -1)


def _is_known(part: str) -> bool:
    return part in WORDS or part in NAMES or part.lower() in WORDS or bool(_PART.fullmatch(part))
