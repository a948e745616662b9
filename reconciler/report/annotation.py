"""Annotations: a person's correction of an entry, beside it for ever.

An entry is never edited. What is written here cannot be withdrawn either, so text that may name a
patient is refused before it is signed (45 CFR 164.514(b)(2)(i)): better to say less.

Rule 1: Plain printable ASCII: what is shown is what was signed, in one direction.
Rule 2: Anything that looks like an identifier of a person is refused, also where it is none.
"""

import re
from typing import Any

from reconciler.errors import InputError
from reconciler.evidence.entry import Reference
from reconciler.model.identifiers import ALL

MAX_TEXT = 500
MAX_BY = 64

_PLAIN = re.compile(r"[\x20-\x7e]+")
_BY = re.compile(r"[A-Za-z][A-Za-z .,'/_-]*")
# Entries, controls, runbooks, commits and digests may be named: they are numbers of ours.
_OURS = re.compile(
    r"\b(?:entry|entries|intent|outcome|run|seq) #?\d{1,8}(?:(?:,| and|-| to) ?\d{1,8})*\b"
    r"|\b(?:RB|[A-Z]{3,4})-[A-Z0-9]+-\d{3}\b"
    r"|\b164\.\d{3}(?:\([a-zA-Z0-9]{1,4}\))*"
    r"|\b(?=[0-9a-f]*[a-f])[0-9a-f]{40}\b|\b(?=[0-9a-f]*[a-f])[0-9a-f]{64}\b"
)
_HINT = "Say it without names, numbers and dates of people; entries have numbers: 'entry 42'."


def body(about: Reference, text: str, by: str) -> dict[str, Any]:
    """The body of an annotation.

    Args:
        about: The entry it is about.
        text: What a person has to say about it.
        by: Who says it: a name or a role of the workforce.

    Raises:
        InputError: Too long, not plain, or it may name a patient.
    """
    check_text(text)
    if len(by) > MAX_BY or not _BY.fullmatch(by):
        message = f"--by must be a name or a role of at most {MAX_BY} letters"
        raise InputError(message, hint="For example: --by 'security officer'.")
    check_text(by)
    return {"about": {"seq": about.seq, "sha256": about.digest}, "text": text, "by": by}


def check_text(text: str) -> None:
    """Refuse text that must not be signed for ever.

    Raises:
        InputError: Empty, too long, not plain printable ASCII, or it may name a patient.
    """
    if not text.strip() or len(text) > MAX_TEXT:
        message = f"text of an annotation has {len(text)} characters, not 1 to {MAX_TEXT}"
        raise InputError(message, hint="Write one or two sentences.")
    if not _PLAIN.fullmatch(text):
        hint = "Use plain letters, digits and punctuation (ASCII), on one line."
        raise InputError("text of an annotation is not plain printable ASCII", hint=hint)
    rest = _OURS.sub(" ", text)
    for what, pattern in ALL:
        if pattern.search(rest):
            message = f"text of an annotation looks like it holds {what}; nothing was signed"
            raise InputError(message, hint=_HINT)
