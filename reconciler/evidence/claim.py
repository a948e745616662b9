"""The nouns of claims: what is said of a ledger, and what anchors and copies bring to it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class State(StrEnum):
    """What became of a claim."""

    PROVEN = "proven"
    NOT_PROVEN = "not-proven"
    FALSE = "false"


@dataclass(frozen=True, slots=True)
class Claim:
    """One sentence about a ledger.

    Attributes:
        subject: What it is about, as a stable code: ``runs``, ``order``, ``keys``, ``gaps`` …
        state: Whether it is proven.
        sentence: What exactly, with its numbers.
        ref: The branch it is about.
    """

    subject: str
    state: State
    sentence: str
    ref: str


TOLERANCE = timedelta(hours=2)
"""Bitcoin's own time is good to about this much."""


@dataclass(frozen=True, slots=True)
class TimeClaim:
    """An independent proof of time, or the reason why it proves none.

    Attributes:
        method: ``opentimestamps``, ``rfc3161`` or ``sigstore``.
        authority: Who vouches.
        size: How many entries it covers.
        not_after: They were there no later than this; None if nothing is proven.
        detail: On what the time rests, or why there is none.
        written_at: When the newest of them was written, by the appliance's own clock.
    """

    method: str
    authority: str
    size: int
    not_after: datetime | None
    detail: str
    written_at: datetime | None = None

    @property
    def too_early(self) -> bool:
        """Whether it was proven to be there before the appliance's clock says it was written."""
        known = self.not_after is not None and self.written_at is not None
        return known and self.not_after + TOLERANCE < self.written_at  # type: ignore[operator]


@dataclass(frozen=True, slots=True)
class CopyClaim:
    """What is known of copies that nobody can delete.

    Attributes:
        upto: The newest entry that a recorded copy covers, None if there is none.
        objects: How many objects are recorded.
        store: Where, as recorded.
        retain_until: The earliest end of their retention, as recorded.
        holes: Spans of entries between the first and the last copy that no copy covers.
        checked: Whether the store itself was asked, and every object found as recorded.
    """

    upto: int | None
    objects: int
    store: str
    retain_until: str
    holes: int
    checked: bool
