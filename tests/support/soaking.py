"""The evidence of a host that comes to run a system, written by hand for who judges rings."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from reconciler.evidence.entry import Clock, stamp
from reconciler.evidence.record import Record
from tests.support.entries import finding, record, run_body

T0 = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MINE = "/nix/store/0c1vg3pn1l1ynq4v4z8y9mrd1r4nbn6q-nixos-system-desk-26.05"
OLD = "/nix/store/1c1vg3pn1l1ynq4v4z8y9mrd1r4nbn6q-nixos-system-desk-26.05"


@dataclass
class Host:
    """One ledger; time moves when somebody lets it.

    Attributes:
        now: Real time.
        ahead: How far the host's clock is ahead of it.
        synchronised: What the kernel says of the clock.
    """

    now: datetime = T0
    ahead: timedelta = timedelta()
    synchronised: bool | None = True
    records: list[Record] = field(default_factory=list)
    full: int = 0

    def after(self, hours: float) -> "Host":
        self.now += timedelta(hours=hours)
        return self

    def runs(self, system: str) -> "Host":
        return self._add("system", {"to": system})

    def looks(self, status: str = "pass", **observed: Any) -> "Host":
        self.full = len(self.records)
        found = finding("system", status, check="LNX-SYS-001", observed=observed)
        return self._add("run", run_body(found))

    def repeats(self, like: int | None = None) -> "Host":
        return self._add("run", {"like": self.full if like is None else like}, slim=True)

    def tries(self, result: str, system: str = MINE, **more: Any) -> "Host":
        self._add("intent", {"action": {"params": {"system": system}}})
        return self._add("outcome", {"result": result, **more}, closes=len(self.records) - 1)

    def slept(self, hours: float) -> "Host":
        begin = self.now
        self.after(hours)
        return self._add("gap", {"from": stamp(begin + self.ahead), "until": self._stamp()})

    def witnessed(self) -> "Host":
        """A witness says, by its own clock, that it saw everything so far."""
        body = {"size": len(self.records), "time": int(self.now.timestamp())}
        return self._add("cosignature", body)

    def _stamp(self) -> str:
        return stamp(self.now + self.ahead)

    def _add(self, kind: str, body: dict[str, Any], **more: Any) -> "Host":
        made = record(len(self.records), kind, body, at=self._stamp(), **more)
        clock = Clock("kernel", self.synchronised, 10, 100, 0)
        self.records.append(replace(made, entry=replace(made.entry, clock=clock)))
        return self
