"""What the ledger says happened, followed entry by entry: on opening, and as entries are added.

There is one way to follow an entry, so what a running daemon remembers is what it would remember
after a restart.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from reconciler.engine.kept import Kept
from reconciler.engine.trusted.standing import Standing
from reconciler.evidence.entry import Entry, Kind, Reference, stamp
from reconciler.evidence.follow import ended_at
from reconciler.evidence.record import Record
from reconciler.guard.memory import Memory, fold
from reconciler.incident import register as incidents
from reconciler.incident import tickets
from reconciler.incident.register import Register
from reconciler.incident.tickets import Tickets
from reconciler.ledger.store import Ledger


@dataclass(slots=True)
class Past:
    """What the ledger says happened, up to its newest entry.

    Attributes:
        memory: Folded state of the guards and of what was accepted.
        open_intents: Intents that no outcome has closed, each with the action it announced.
        since: Per rule, since when it has had its status.
        reached_at: When the fleet repository was last reached.
        last_clock: When the clocks were last read together, see `engine.facts`.
        boot_id: The boot that the newest entry was written in.
        run: The newest run with findings; None before the first.
        checkpoint_at: When the root of the log was last signed; at first, when it began.
        kept: The newest checkpoint, cosignatures, anchors and copy.
        standing: The newest heartbeat of the fleet and how long ago it was first seen, the last
            recovery, what held the desired state. A run may know a newer heartbeat than its ledger.
        register: Open incidents, and what must be known of ended ones.
        tickets: What people were told about them.
        commit: Commit of the newest entry.
    """

    memory: Memory
    open_intents: list[tuple[Reference, Mapping[str, Any]]] = field(default_factory=list)
    since: Mapping[str, Any] = field(default_factory=dict)
    reached_at: datetime | None = None
    last_clock: dict[str, object] = field(default_factory=dict)
    boot_id: str | None = None
    run: Entry | None = None
    checkpoint_at: datetime | None = None
    kept: Kept = field(default_factory=Kept)
    standing: Standing = field(default_factory=Standing)
    register: Register = field(default_factory=Register)
    tickets: Tickets = field(default_factory=Tickets.empty)
    commit: str | None = None

    @property
    def promise_s(self) -> int | None:
        """The interval that was promised until the next run; None if none was."""
        promise = None if self.run is None else self.run.body.get("promise_s")
        return promise if isinstance(promise, int) else None

    @property
    def limit_s(self) -> int | None:
        """How old a heartbeat may be, by the state in force at the newest run with findings."""
        intent = {} if self.run is None else self.run.body.get("intent")
        limit_s = intent.get("freshness_limit_s") if isinstance(intent, Mapping) else None
        return limit_s if type(limit_s) is int else None

    def begin(self, record: Record) -> None:
        """Start from an entry that carries the memory up to and with itself."""
        entry = record.entry
        self.commit = record.commit
        self._follow_clock(entry)
        self.checkpoint_at = entry.time
        self.kept = Kept.from_body(entry.body.get("upkeep"))
        target = f"{entry.client}/{entry.host}"
        self.register = Register.from_body(entry.body.get("register"), target)
        self.tickets = Tickets.from_body(entry.body.get("tickets"))
        self.standing = Standing().after(entry, self.boot_id)
        if entry.kind is Kind.RUN:
            self._follow_run(entry)

    def follow(self, record: Record) -> None:
        """Take in one more entry.

        Raises:
            LedgerDamaged: Its body does not say what its kind must say.
        """
        entry = record.entry
        self._follow_clock(entry)
        self.kept = self.kept.after(record, self.commit)
        self.standing = self.standing.after(entry, self.boot_id)
        self.commit = record.commit
        if entry.kind is Kind.CHECKPOINT:
            self.checkpoint_at = entry.time
        if entry.slim:
            # It says that nothing has changed, so there is nothing to fold.
            self._follow_reach(record)
            return
        self.memory = fold(self.memory, entry.kind.value, entry.body, entry.time)
        self.register = incidents.fold(self.register, entry.kind.value, entry.body)
        self.tickets = tickets.fold(self.tickets, entry.kind.value, entry.body, entry.time)
        if entry.kind is Kind.INTENT:
            self.open_intents.append((record.reference, entry.body["action"]))
        if entry.closes is not None:
            self.open_intents = [o for o in self.open_intents if o[0] != entry.closes]
        if entry.kind is Kind.RUN:
            self._follow_run(entry)

    def _follow_reach(self, record: Record) -> None:
        entry = record.entry
        if not entry.body.get("reached"):
            return
        # What is sealed after the fact was reached no later than the last of its runs.
        late = "ago_ms" in entry.body
        at = datetime.fromisoformat(ended_at(record)) if late else entry.read_at
        self.reached_at = at if self.reached_at is None else max(self.reached_at, at)

    def _follow_clock(self, entry: Entry) -> None:
        self.boot_id = entry.boot_id or self.boot_id
        if entry.clock.uptime_s is not None:
            self.last_clock = {
                "at": stamp(entry.read_at),
                "uptime_s": entry.clock.uptime_s,
                "boot_id": self.boot_id,
            }

    def _follow_run(self, entry: Entry) -> None:
        self.run = entry
        self.since = entry.body.get("since", {})
        self.reached_at = _moment(entry.body, "reached_at")
        self.checkpoint_at = _moment(entry.body, "checkpoint_at")


def recall(ledger: Ledger) -> Past:
    """Follow the newest entries: from the last ``run`` entry's own memory onwards.

    Every ``run`` entry carries the folded memory, signed, so the cost does not grow with history;
    an audit folds the whole history and compares. A run that left an intent open is not enough to
    start from, because the action that it announced stands in an older entry.

    Raises:
        LedgerDamaged: An entry does not verify, or does not read as memory.
    """
    return recall_from(ledger.entries(newest_first=True))


def recall_from(newest_first: Iterable[Record]) -> Past:
    """As `recall`, for who only reads.

    Args:
        newest_first: Proven entries; no more are taken than are needed.

    Raises:
        LedgerDamaged: As `recall`.
    """
    newer = []
    for record in newest_first:
        newer.append(record)
        entry = record.entry
        if entry.kind in {Kind.RUN, Kind.GENESIS} and not entry.slim and not entry.open:
            break
    start, *rest = reversed(newer)
    past = Past(memory=Memory.from_body(start.entry.body.get("memory")))
    past.begin(start)
    for record in rest:
        past.follow(record)
    return past


def _moment(body: Mapping[str, Any], name: str) -> datetime | None:
    text = body.get(name)
    return datetime.fromisoformat(text) if text else None
