"""Nouns of the copy: what was stored, what a store lists, what an audit finds."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

COMPLIANCE = "COMPLIANCE"
"""The one mode that nobody, not even the owner of the account, can end early."""

MAX_OBJECT = 64 * 1024 * 1024
"""Bytes of one object: a copy of more is several objects, each sent whole."""


@dataclass(frozen=True, slots=True)
class Stored:
    """One object that a store has shown to hold, locked.

    Attributes:
        key: Its whole key in the bucket.
        version_id: The version that is locked; a key alone can be written over.
        sha256: Hex SHA-256 of its content.
        size: Bytes.
        retain_until: Until when the store has promised to keep it, whole seconds.
    """

    key: str
    version_id: str
    sha256: str
    size: int
    retain_until: datetime


@dataclass(frozen=True, slots=True)
class Version:
    """One line of a listing.

    Attributes:
        key: Whole key.
        version_id: ``null`` for what was written while versions were not kept.
        size: Bytes; 0 for a marker.
        latest: Whether a plain read of the key ends here.
        marker: Whether it is a delete marker, which hides what lies below.
        modified: When the store took it, by its clock.
    """

    key: str
    version_id: str
    size: int
    latest: bool
    marker: bool
    modified: datetime


@dataclass(frozen=True, slots=True)
class Lock:
    """How a version is locked.

    Attributes:
        mode: ``COMPLIANCE`` or ``GOVERNANCE``.
        until: When it ends.
    """

    mode: str
    until: datetime


class Problem(StrEnum):
    """Stable names of what can be wrong with a copy."""

    BUCKET = "bucket"
    MISSING = "missing"
    ENDED = "ended"
    DELETED = "delete-marker"
    OVERWRITTEN = "overwritten"
    EARLIER = "earlier-version"
    CONTENT = "content"
    NOT_LOCKED = "not-locked"
    MODE = "mode"
    SHORTENED = "shortened"
    TOO_SHORT = "too-short"
    UNRECORDED = "unrecorded"
    NAME = "name"
    HOLE = "hole"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with a copy.

    Attributes:
        problem: What kind of thing.
        key: The object; empty if it is the bucket or something that is not there.
        version_id: The version, None if it is about the whole key.
        message: What exactly, in one sentence.
    """

    problem: Problem
    key: str
    version_id: str | None
    message: str

    def __str__(self) -> str:
        place = self.key if self.version_id is None else f"{self.key} version {self.version_id}"
        at = f" at {place}" if place else ""
        return f"{self.problem.value}{at}: {self.message}"
