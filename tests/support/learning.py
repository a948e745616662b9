"""Proven entries of a few hosts, as their ledgers would hold them, for tests of learning."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from reconciler.evidence.canonical import digest
from reconciler.evidence.entry import UNKNOWN_CLOCK, Entry, Kind, Reference, stamp
from reconciler.evidence.record import Record

BEGIN = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
CHECK, RUNBOOK, DIGEST = "LNX-SVC-001", "RB-SERVICE-001", "a" * 64
RULE = "units-running[portal]"
YES = f"approval spring of owner@clinic.example, until 2026-12-31 (sha256:{'b' * 64})"


@dataclass
class Host:
    """The ledger of one host, in memory."""

    name: str = "frontdesk"
    client: str = "clinic"
    at: datetime = BEGIN
    records: list[Record] = field(default_factory=list)
    occurrence: int = 0

    def append(
        self, kind: Kind, body: Mapping[str, Any], closes: Reference | None = None
    ) -> Record:
        seq = len(self.records)
        entry = Entry(
            kind=kind, seq=seq, previous=None, ref=f"refs/heads/{self.client}/{self.name}",
            client=self.client, host=self.name, recorded_at=stamp(self.at), clock=UNKNOWN_CLOCK,
            base=None, boot_id=None, tool={}, subject=None, log=None, closes=closes, open=(),
            body=body,
        )  # fmt: skip
        named = digest({"client": self.client, "host": self.name, "seq": seq, "at": stamp(self.at)})
        self.records.append(Record("c" * 40, entry, named, b""))
        return self.records[-1]

    def heal(
        self,
        *,
        tier: str = "L2",
        result: str = "healed",
        soak: str | None = "closed",
        observed: Mapping[str, Any] | None = None,
        params: Mapping[str, Any] | None = None,
        verdicts: tuple[Mapping[str, Any], ...] = (),
        severity: str = "high",
        rules: tuple[str, ...] = (RULE,),
        check: str = CHECK,
        runbook: str = RUNBOOK,
        digest: str = DIGEST,
        back: tuple[str, str] | None = None,
        healing: Sequence[str] | None = None,
        later: timedelta = timedelta(hours=2),
    ) -> None:
        """One incident from its intent to the end of its soak (``None``: it still soaks).

        What happened before, such as its coming ``back``, rides in the intent.
        """
        self.occurrence += 1
        seen = {"active_state": "inactive"} if observed is None else observed
        found = [
            {"rule": rule, "check": check, "status": "fail", "severity": severity,
             "observed": seen, "failed": list(seen)}
            for rule in rules
        ]  # fmt: skip
        action = {
            "id": "d" * 64, "target": f"{self.client}/{self.name}", "tier": tier,
            "rules": list(rules), "runbook": runbook, "runbook_digest": digest,
            "params": {"unit": "portal.service"} if params is None else dict(params),
        }  # fmt: skip
        if healing is not None:
            action["healing"] = list(healing)
        announced = {"action": action, "found": found, "verdicts": list(verdicts)}
        came = [self._move(rule, *back) for rule in rules] if back else []
        intent = self.append(Kind.INTENT, {**announced, "incidents": came})
        to = "soak" if result == "healed" else "cooldown"
        moves = [self._move(rule, "verifying", to) for rule in rules]
        outcome = {
            "result": result, "rules": list(rules), "incidents": moves, "runbook": runbook,
            "rollback": "verified" if result == "rolled_back" else "none", "steps": [],
        }  # fmt: skip
        self.append(Kind.OUTCOME, outcome, intent.reference)
        self.at += timedelta(hours=1)
        if result == "healed" and soak is not None:
            ended = [self._move(rule, "soak", soak) for rule in rules]
            self.append(Kind.RUN, {"incidents": ended, "findings": []})
        self.at += later

    def _move(self, rule: str, before: str, to: str) -> dict[str, Any]:
        reason = "held" if to == "closed" else "any"
        identity = {"id": f"{rule}-{self.occurrence}", "rule": rule}
        return {**identity, "from": before, "to": to, "reason": reason}


def clinics(count: int = 4, heals: int = 4, **how: Any) -> list[Host]:
    """Some hosts on each of which a choice succeeded some times, two and a half days apart."""
    hosts = [Host(name=f"desk-{number}") for number in range(count)]
    for host in hosts:
        for _ in range(heals):
            host.heal(**({"later": timedelta(days=2, hours=12)} | how))
    return hosts


def all_records(hosts: list[Host]) -> Iterator[list[Record]]:
    return (host.records for host in hosts)
