"""What the ledger says happened, followed entry by entry: on opening, and as entries are added.

There is one way to follow an entry, so what a running daemon remembers is what it would remember
after a restart.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from reconciler.evidence.statement import Entry, Kind, Reference
from reconciler.guard.memory import Memory, fold
from reconciler.ledger.store import Ledger


@dataclass(slots=True)
class Past:
    """What the ledger says happened, up to its newest entry.

    Attributes:
        memory: Folded state of the guards and of what was accepted.
        open_intents: Intents that no outcome has closed, each with the action it announced.
        since: Per rule, since when it has had its status.
        reached_at: When the fleet repository was last reached.
        last_clock: The clock facts of the newest entry that has them.
    """

    memory: Memory
    open_intents: list[tuple[Reference, Mapping[str, Any]]] = field(default_factory=list)
    since: Mapping[str, Any] = field(default_factory=dict)
    reached_at: datetime | None = None
    last_clock: dict[str, object] = field(default_factory=dict)

    def follow(self, entry: Entry, reference: Reference) -> None:
        """Take in one more entry.

        Raises:
            LedgerDamaged: Its body does not say what its kind must say.
        """
        self.memory = fold(self.memory, entry.kind.value, entry.body, entry.time)
        self.last_clock = dict(entry.body.get("clock", self.last_clock))
        if entry.kind is Kind.INTENT:
            self.open_intents.append((reference, entry.body["action"]))
        if entry.closes is not None:
            self.open_intents = [o for o in self.open_intents if o[0] != entry.closes]
        if entry.kind is Kind.RUN:
            self.since = entry.body.get("since", {})
            self.reached_at = _reached_at(entry.body)


def recall(ledger: Ledger) -> Past:
    """Follow the newest entries: from the last ``run`` entry's own memory onwards.

    Every ``run`` entry carries the folded memory, signed, so the cost does not grow with history;
    an audit folds the whole history and compares. A run that left an intent open is not enough to
    start from, because the action that it announced stands in an older entry.

    Raises:
        LedgerDamaged: An entry does not verify, or does not read as memory.
    """
    newer = []
    for record in ledger.entries(newest_first=True):
        newer.append(record)
        if record.entry.kind in {Kind.RUN, Kind.GENESIS} and not record.entry.open:
            break
    start, *rest = reversed(newer)
    body = start.entry.body
    past = Past(
        memory=Memory.from_body(body.get("memory")),
        since=body.get("since", {}),
        reached_at=_reached_at(body),
        last_clock=dict(body.get("clock", {})),
    )
    for record in rest:
        past.follow(record.entry, record.reference)
    return past


def _reached_at(body: Mapping[str, Any]) -> datetime | None:
    text = body.get("reached_at")
    return datetime.fromisoformat(text) if text else None
