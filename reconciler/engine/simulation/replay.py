"""Recorded incidents as a stream: what went wrong on a machine, without what was done about it.

Rule 1: A drift begins where evidence first shows it, in a run or in the intent of an action, and
        is gone by itself only where evidence shows it gone without a fix of ours.
Rule 2: A fix that worked works again. One that never did fails again in the same way; what another
        runbook would have done, nobody knows: it is taken to heal, and said so.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from reconciler.engine.simulation.synthetic import Drift, Fix, Stream
from reconciler.errors import InputError
from reconciler.evidence.entry import Kind
from reconciler.evidence.record import Record
from reconciler.learn.witness import failed_values
from reconciler.model.values import Value

Body = Mapping[str, Any]


@dataclass(slots=True)
class _Begun:
    """A drift that is there, as evidence goes on."""

    at: datetime
    observed: Mapping[str, Value]
    fix: Fix = "heals"
    runbooks: set[str] = field(default_factory=set)

    def drift(self, rule: str, lasts: timedelta | None, *, healed: bool) -> Drift:
        fix: Fix = "heals" if healed else self.fix
        runbooks = frozenset() if fix == "heals" else frozenset(self.runbooks)
        return Drift(
            at=self.at, rule=rule, observed=self.observed, lasts=lasts, fix=fix, runbooks=runbooks
        )


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a ledger gives.

    Attributes:
        left_out: Rules that went wrong and that are not asked for, each with how often.
    """

    stream: Stream
    left_out: Mapping[str, int]


def recorded(records: Iterable[Record], rules: Collection[str]) -> Recorded:
    """The stream of one host's entries.

    Args:
        records: Proven entries, oldest first.
        rules: Bound rules of the revision that is tried.

    Raises:
        InputError: There is no entry, or no run with findings in them.
    """
    reading = _Reading()
    moments: list[datetime] = []
    for record in records:
        moments.append(record.entry.time)
        if not record.entry.slim:
            reading.follow(record)
    if not reading.looked:
        hint = "Give the branch of an appliance that has run."
        raise InputError("the evidence holds no run with findings", hint=hint)
    drifts = sorted(reading.drifts(), key=lambda drift: (drift.at, drift.rule))
    left_out: dict[str, int] = {}
    for drift in drifts:
        if drift.rule not in rules:
            left_out[drift.rule] = left_out.get(drift.rule, 0) + 1
    kept = tuple(drift for drift in drifts if drift.rule in rules)
    return Recorded(Stream(moments[0], moments[-1], kept), left_out)


class _Reading:
    def __init__(self) -> None:
        self.looked = False
        self._begun: dict[str, _Begun] = {}
        self._ended: list[Drift] = []

    def drifts(self) -> Iterator[Drift]:
        yield from self._ended
        for rule, begun in self._begun.items():
            yield begun.drift(rule, None, healed=False)

    def follow(self, record: Record) -> None:
        entry, body = record.entry, record.entry.body
        match entry.kind:
            case Kind.INTENT:
                for finding in body["found"]:
                    self._saw(finding, entry.time)
            case Kind.OUTCOME:
                self._outcome(body)
            case Kind.RUN:
                self.looked = True
                for finding in body["findings"]:
                    self._saw(finding, entry.time)
            case _:
                return

    def _saw(self, finding: Body, at: datetime) -> None:
        rule = finding["rule"]
        if finding["status"] == "fail":
            if rule not in self._begun:
                self._begun[rule] = _Begun(at, failed_values(finding))
        elif finding["status"] == "pass" and rule in self._begun:
            begun = self._begun.pop(rule)
            self._ended.append(begun.drift(rule, at - begun.at, healed=False))

    def _outcome(self, body: Body) -> None:
        for rule in body["rules"]:
            begun = self._begun.get(rule)
            if begun is None:
                continue
            if body["result"] == "healed":
                self._ended.append(self._begun.pop(rule).drift(rule, None, healed=True))
            elif body["result"] in {"failed", "rolled_back"}:
                begun.fix = _fix(body)
                begun.runbooks.add(body["runbook"])


def _fix(outcome: Body) -> Fix:
    if outcome["rollback"] == "unverified":
        return "breaks"
    carried = all(r["ok"] for step in outcome["steps"] for r in step["results"])
    return "lies" if carried else "fails"
