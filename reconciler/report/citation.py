"""A proven entry, named so that a reader can find it again and check it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.evidence.record import Record


@dataclass(frozen=True, slots=True)
class Citation:
    """Where an entry is, without what it says.

    Attributes:
        seq: Its sequence number.
        at: When it was recorded, as written.
        kind: Its kind.
        commit: Object id of its commit, 40 hex digits.
        digest: Hex SHA-256 of its statement.
        path: Its file in the tree of that commit; None for a slim entry, which has none.
    """

    seq: int
    at: str
    kind: str
    commit: str
    digest: str
    path: str | None

    def to_json(self) -> dict[str, Any]:
        """JSON values, in the names that every report uses."""
        return {
            "seq": self.seq,
            "recorded_at": self.at,
            "kind": self.kind,
            "commit": self.commit,
            "sha256": self.digest,
            "path": self.path,
        }


def cite(record: Record) -> Citation:
    """Name a proven entry."""
    entry = record.entry
    return Citation(
        entry.seq, entry.recorded_at, entry.kind.value, record.commit, record.digest, record.path
    )


def repeats(record: Record) -> int | None:
    """The number of the full run that a slim run repeats; None for every other entry."""
    body: Mapping[str, Any] = record.entry.body
    like = body.get("like") if record.entry.kind.value == "run" else None
    return like if type(like) is int else None
