"""What looks like an identifier of a person, as far as a machine can tell.

45 CFR 164.514(b)(2)(i) lists eighteen kinds. Names, addresses and photographs have no form, so
nothing here finds them; whoever lets text through must ask what it may hold, not what it may not
(`reconciler.model.scrub`). The kinds that do have a form are here, wide on purpose: what is no
identifier and looks like one is lost, which costs less than the other error.
"""

import re
from collections.abc import Iterator

Span = tuple[int, int]

_MONTHS = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"

EMAIL = ("an e-mail address", re.compile(r"\S@\S"))
WEB = ("a web address", re.compile(r"://|\bwww\.", re.IGNORECASE))
SSN = ("a social security number", re.compile(r"\b\d{3}[-. ]?\d{2}[-. ]?\d{4}\b"))
SSN_WITH_MARKS = (
    "a social security number",
    re.compile(r"(?<![\w.-])\d{3}([-. ])\d{2}\1\d{4}(?![\w.-])"),
)
DATE = (
    "a date, which could be of birth",
    re.compile(
        r"\b\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}\b"
        r"|\b(?:18|19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\b"
        rf"|\b\d{{1,2}}(?:st|nd|rd|th)?[ .-]*{_MONTHS}\b"
        rf"|\b{_MONTHS}[ .-]*\d{{1,4}}(?:st|nd|rd|th)?\b",
        re.IGNORECASE,
    ),
)
YEAR = ("a date, which could be of birth", re.compile(r"\b(?:18|19|20)\d{2}\b"))
PHONE = (
    "a telephone number",
    re.compile(
        r"(?:\+|\(\d{3}\)|\b\d{3})[-. )]*\d{3}[-. ]\d{4}\b|\+\d{6,}"
        r"|\+\d{1,3}(?:[-. ()]{1,2}\d{2,4}){2,5}|\b\d{3}[-. ]\d{4}\b"
    ),
)
RECORD = (
    "a record number",
    re.compile(r"\b[A-Za-z]{0,4}[-#]?\d{5,}\b|\b\d+(?:[- ]\d+){2,}\b"),
)
ADDRESS = (
    "an address of a device",
    re.compile(
        r"\b\d{1,3}(?:\.\d{1,3}){3}\b|\b[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}\b"
        r"|\b[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){4,7}\b|[0-9a-f]{1,4}::[0-9a-f]{1,4}",
        re.IGNORECASE,
    ),
)
SERIAL = (
    "the number of a vehicle or a device",
    re.compile(r"\b(?=[A-HJ-NPR-Z]*\d)(?=\d*[A-HJ-NPR-Z])[A-HJ-NPR-Z0-9]{17}\b"),
)
ACCOUNT = (
    "an account number",
    re.compile(
        r"(?<!\d)\d{4}([- ])\d{4}\1\d{4}\1\d{4}(?!\d)|\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}\b"
    ),
)
NUMBERED = (
    "a number of a record, a licence or a device",
    re.compile(
        r"(?<![\w.-])(?:[A-Za-z]{1,4}[-#]?\d{6,}|\d{2,3}-\d{5,})(?![\w.-])"
        r"|\b(?:sn|serial|licen[cs]e|plate|vin|certificate|account|policy|member|chart)"
        r"(?: ?(?:no|nr|number|id)\b)?[.:#_ -]{1,3}(?=[a-z0-9-]{0,64}\d{2})[a-z0-9-]{5,}",
        re.IGNORECASE,
    ),
)
PICTURE = (
    "a picture or a measured part of a body",
    re.compile(
        r"\bdata:[a-z]+/[a-z0-9.+-]+[;,]|(?<![A-Za-z0-9+/])(?:/9j/|iVBORw0KGgo|R0lGOD|Rk1SAC)"
        r"[A-Za-z0-9+/=]{16}"
        r"|\b(?:fingerprint|retina|iris|voice|face)[ _-]?(?:print|template|image|scan|id)\b",
        re.IGNORECASE,
    ),
)
DIGITS = (
    "many digits with only marks between them",
    re.compile(r"(?<![A-Za-z0-9])\d(?:[^A-Za-z0-9]*\d){6,}(?![A-Za-z0-9])"),
)
PATIENT = (
    "words about a patient",
    re.compile(
        r"(?<![a-z])(?:patients?|dob|born|mrn|ssn|medical[ _-]record|health[ _-]plan|member[ _-]id"
        r"|insurance|diagnos[a-z]*|chart[ _-]number|birth[a-z]*|\d{1,3}[ -]years?[ -]old)(?![a-z])"
        r"|\b(?:ages?|aged)\b",
        re.IGNORECASE,
    ),
)
Suspect = tuple[str, re.Pattern[str]]

ALL: tuple[Suspect, ...] = (
    EMAIL,
    WEB,
    SSN,
    DATE,
    YEAR,
    PHONE,
    RECORD,
    ADDRESS,
    SERIAL,
    ACCOUNT,
    NUMBERED,
    PICTURE,
    PATIENT,
)
"""Every kind, in the order in which a person is told of it; a person may list entries."""


def spans(text: str, kinds: tuple[Suspect, ...]) -> Iterator[Span]:
    """Where in a text something of these kinds stands."""
    for _what, pattern in kinds:
        for found in pattern.finditer(text):
            yield found.span()
