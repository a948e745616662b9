"""What the engine knows about itself, answered like any other probe."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from reconciler.ledger.store import Ledger
from reconciler.model.answer import Answer
from reconciler.model.run import IntentStatus

TAIL = 64
"""Newest entries whose signatures and chain are verified in every run; `reconciler verify` audits
all of them, which would make the cost of a run grow with history."""


@dataclass(slots=True)
class Introspection:
    """Answers `Internal` probes of one run.

    Attributes:
        ledger: Open ledger.
        open_intents: Intents that were found open at the start of the run.
        newest_at: Time of the newest entry before this run.
        reached_at: When the fleet repository was last reached; ``None`` if never.
        status: What became of the newest desired state.
        now: Reads the wall clock. Each look has a time of its own: what a run has just made
            (a renewed certificate) is younger than the run.
        target: ``<client>/<host>``.
        root: Whether this process runs as root.
    """

    ledger: Ledger
    open_intents: int
    newest_at: datetime
    status: IntentStatus
    reached_at: datetime | None
    now: Callable[[], datetime]
    target: str
    root: bool

    def __call__(self, topic: str) -> Answer:
        """The answer to ``Internal(topic)``."""
        match topic:
            case "ledger":
                return Answer("ok", self._ledger())
            case "intent":
                return Answer("ok", self._intent())
            case "now":
                return Answer("ok", {"unix_s": int(self.now().timestamp())})
            case "host":
                return Answer("ok", {"name": self.target, "root": self.root})
            case _:
                return Answer("unsupported", reason=f"no such topic: {topic}")

    def _ledger(self) -> dict[str, Any]:
        check = self.ledger.check_tail(TAIL)
        return {
            "verified": check.ok,
            "checked": check.checked,
            "entries": self.ledger.tip.seq + 1,
            "newest_age_s": self._age(self.newest_at),
            "open_intents": self.open_intents,
            "faults": len(check.faults),
        }

    def _intent(self) -> dict[str, Any]:
        status = self.status
        return {
            "trusted": status.refused is None,
            "commit": status.commit,
            "refused": status.refused_commit,
            "reason": status.refused,
            "fetched": status.fetched,
            "age_s": self._age(self.reached_at),
        }

    def _age(self, at: datetime | None) -> int | None:
        return None if at is None else int((self.now() - at).total_seconds())
