"""Which commits could not be evaluated here, so that none is tried over and over."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

AGAIN = timedelta(hours=1)
"""How long after a failure a commit is tried again; another commit is tried at once."""


@dataclass(slots=True)
class Evaluations:
    """Failures of this process: when, and why, by commit."""

    failed: dict[str, tuple[datetime, str]] = field(default_factory=dict)

    def why_not(self, commit: str, now: datetime) -> str | None:
        """Why a commit is not evaluated again yet; None if it may be."""
        at, why = self.failed.get(commit, (now - AGAIN, ""))
        return why if now - at < AGAIN else None

    def fails(self, commit: str, now: datetime, why: str) -> None:
        """Remember a failure, and no older one."""
        self.failed = {commit: (now, why)}
