"""What the evidence of one host shows of one system: whether it runs it, since when, how it went.

Rule 1: It runs a system when the newest ``system`` entry names it, and no look since shows another.
Rule 2: Soaking begins when both hold: it ran the system by a clock that was disciplined, and there
        was a release of it. A failed activation ends it, and only one that healed begins it again;
        one that was interrupted ends it, too, and begins again where a look shows the system. A try
        whose outcome shows that nothing of the system ran (a cache that cannot be reached) is none,
        on a host that ran another one; nor is a restart that never began (a window that closed).
Rule 3: It ends with the newest look that saw what runs; time in which nobody looked is taken off.
        What was sealed later, or is still to come, is not counted.
Rule 4: A clock that a witness contradicts proves nothing: an entry that says it was written after
        somebody else saw it begins the soak again, and what follows a witness's word is not older.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from reconciler.evidence import moments
from reconciler.evidence.activation import did_not_restart, prepared_only
from reconciler.evidence.entry import Entry, Kind, Reference
from reconciler.evidence.record import Record
from reconciler.trust.judgement import TOLERANCE

Body = Mapping[str, Any]
State = Literal["soaking", "elsewhere", "failed", "blind"]

SYSTEM_CHECK = "LNX-SYS-001"
"""The check that compares what runs with what is trusted."""

_BAD = frozenset({"failed", "rolled_back"})
_STORE = "/nix/store/"


@dataclass(frozen=True, slots=True)
class Stand:
    """How one host stands with one system.

    Attributes:
        state: ``soaking`` when it runs it; ``failed`` when the newest try to activate it was not
            healed; ``blind`` when the newest look did not see what runs; else ``elsewhere``.
        soaked: For how long it has been seen to run it.
        seen: When it was last looked at; ``None`` when never.
        reference: The newest look; ``None`` when there is none.
    """

    state: State
    soaked: timedelta = timedelta()
    seen: datetime | None = None
    reference: Reference | None = None


def stand_of(records: Iterable[Record], system: str, released: datetime) -> Stand:
    """How a host stands with a system.

    Args:
        records: Proven entries of its branch, oldest first.
        system: Store path of the system that a release names for it.
        released: When that release was made.
    """
    watch = _Watch(system, released)
    for record in records:
        watch.follow(record)
    return watch.stand()


@dataclass(slots=True)
class _Watch:
    system: str
    released: datetime
    running: str | None = None
    since: datetime | None = None
    failed: bool = False
    away: timedelta = timedelta()
    sees: bool = False
    full: int | None = None
    seen: datetime | None = None
    look: Reference | None = None
    floor: datetime | None = None
    begun: set[Reference] = field(default_factory=set)
    times: dict[int, datetime] = field(default_factory=dict)

    def follow(self, record: Record) -> None:
        entry = record.entry
        self.times[entry.seq] = entry.time
        match entry.kind:
            case Kind.RUN:
                self._run(record)
            case Kind.GAP:
                self._gap(entry)
            case Kind.INTENT:
                if _param(entry.body) == self.system:
                    self.begun.add(record.reference)
            case Kind.OUTCOME:
                self._outcome(entry)
            case Kind.COSIGNATURE:
                self._witnessed(entry.body)
            case Kind.SYSTEM:
                self._saw(entry.body.get("to"), entry)
            case _:
                pass

    def stand(self) -> Stand:
        if self.failed:
            return Stand("failed", seen=self.seen, reference=self.look)
        if self.running != self.system:
            return Stand("elsewhere", seen=self.seen, reference=self.look)
        if not self.sees:
            return Stand("blind", seen=self.seen, reference=self.look)
        return Stand("soaking", self._soaked(), self.seen, self.look)

    def _soaked(self) -> timedelta:
        if self.since is None or self.seen is None:
            return timedelta()
        return max(self.seen - max(self.since, self.released) - self.away, timedelta())

    def _saw(self, path: object, entry: Entry) -> None:
        """What runs, as an entry says it in clear."""
        if path != self.system:
            self.running, self.since = str(path), None
            return
        self.running = self.system
        if self.since is None and not self.failed and entry.clock.synchronised is True:
            # What follows a witness's word was written after it, whatever the clock said.
            self.since = entry.time if self.floor is None else max(entry.time, self.floor)
            self.away = timedelta()

    def _run(self, record: Record) -> None:
        entry = record.entry
        if not entry.slim:
            self.full = entry.seq
            self.sees = self._looked(entry)
        elif entry.body.get("like") != self.full:
            # It repeats a run that was not read here, so nobody knows what it saw.
            self.sees = False
        self.look = record.reference
        self.seen = datetime.fromtimestamp(moments.ended(entry) // 1000, UTC)
        if self.sees and self.running == self.system and self.since is None:
            self._saw(self.system, entry)

    def _looked(self, entry: Entry) -> bool:
        """Whether a full run saw what runs; what it shows in clear counts."""
        finding = _finding(entry.body)
        if finding is None or finding.get("status") not in {"pass", "fail"}:
            return False
        observed = finding.get("observed")
        running = observed.get("running") if isinstance(observed, Mapping) else None
        if isinstance(running, str) and running.startswith(_STORE):
            self._saw(running, entry)
        return True

    def _gap(self, entry: Entry) -> None:
        begin, end = _moment(entry.body.get("from")), _moment(entry.body.get("until"))
        if self.since is None:
            return
        if begin is None or end is None:
            self.since = None
        else:
            self.away += max(end - max(begin, self.since), timedelta())

    def _outcome(self, entry: Entry) -> None:
        if entry.closes not in self.begun:
            return
        result = entry.body.get("result")
        self.since = None
        if result in _BAD:
            self.failed = self.failed or not self._only_prepared(entry.body)
        elif result == "healed":
            self.failed = False

    def _only_prepared(self, body: Body) -> bool:
        if did_not_restart(body):
            return True
        if body.get("rollback") == "unverified" or self.running == self.system:
            return False
        steps = body.get("steps")
        return isinstance(steps, list | tuple) and bool(steps) and all(map(prepared_only, steps))

    def _witnessed(self, body: Body) -> None:
        size, seconds = body.get("size"), body.get("time")
        if type(size) is not int or type(seconds) is not int:
            return
        try:
            at = datetime.fromtimestamp(seconds, UTC)
        except (ValueError, OverflowError, OSError):
            return
        self.floor = at if self.floor is None else max(self.floor, at)
        claimed = self.times.get(size - 1)
        if claimed is not None and claimed > at + TOLERANCE:
            self.since = None


def _finding(body: Body) -> Body | None:
    """The finding about the system, of a run; ``None`` where there is not exactly one."""
    findings = body.get("findings")
    if not isinstance(findings, list | tuple):
        return None
    found = [f for f in findings if isinstance(f, Mapping) and f.get("check") == SYSTEM_CHECK]
    return found[0] if len(found) == 1 else None


def _param(body: Body) -> object:
    """The system that an action is about."""
    action = body.get("action")
    params = action.get("params") if isinstance(action, Mapping) else None
    return params.get("system") if isinstance(params, Mapping) else None


def _moment(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
