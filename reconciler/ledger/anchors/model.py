"""The nouns of time anchors: what was stamped, by whom, and what that proves."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Method(StrEnum):
    """How a checkpoint is anchored."""

    OPENTIMESTAMPS = "opentimestamps"
    RFC3161 = "rfc3161"
    SIGSTORE = "sigstore"


class AnchorState(StrEnum):
    """Whether a proof claims to be whole; a claim, until somebody verifies it."""

    PENDING = "pending"
    COMPLETE = "complete"


BITCOIN = "bitcoin"
"""The authority of every OpenTimestamps proof: calendars only carry it there."""

MAX_PROOF = 64 * 1024
"""Bytes of the largest proof; the largest seen of two calendars is 4 kB, of an authority 8 kB."""


@dataclass(frozen=True, slots=True)
class CheckpointRef:
    """A checkpoint entry of the ledger.

    Attributes:
        seq: Its sequence number, which is also the size of the log that it signs.
        sha256: Hex digest of its statement.
    """

    seq: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Anchor:
    """The body of an ``anchor`` entry.

    Attributes:
        method: How.
        checkpoint: Which checkpoint entry.
        note_sha256: Hex SHA-256 of the text of its signed note: what was stamped.
        authority: Name of who vouches, as the settings call it.
        state: What the proof claimed to be when it was stored.
        proof: The proof as it came, byte for byte.
    """

    method: Method
    checkpoint: CheckpointRef
    note_sha256: str
    authority: str
    state: AnchorState
    proof: bytes


@dataclass(frozen=True, slots=True)
class TimeProof:
    """What an anchor proves, after it was checked.

    Attributes:
        method: How.
        authority: Who vouches.
        not_after: The checkpoint was there no later than this; None if nothing is proven.
        detail: One sentence: on what the time rests, or why there is none.
    """

    method: Method
    authority: str
    not_after: datetime | None
    detail: str

    @property
    def proven(self) -> bool:
        """Whether there is an independent time at all."""
        return self.not_after is not None


@dataclass(frozen=True, slots=True)
class Problem:
    """Anchor work that was due and did not come about; kept as a value, so the appliance goes on.

    Attributes:
        method: How it was tried.
        authority: Who should have vouched.
        message: What is wrong.
        hint: What to do about it.
    """

    method: Method
    authority: str
    message: str
    hint: str

    def __str__(self) -> str:
        return f"{self.method} by {self.authority}: {self.message}"
