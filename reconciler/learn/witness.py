"""From the proven entries of one host to its trials.

Rule 1: An action counts once for each check that it was begun for, however many rules of that
        check it served: four units of one runbook are one trial.
Rule 2: It succeeded when it healed and every incident it was for came from its soak to ``closed``.
        What failed, was rolled back, was interrupted or did not hold is a failure; what has not
        ended is neither, and what was never begun (denied at the last moment) is no trial.
Rule 3: An entry that does not say what it must say teaches nothing. Older ledgers know no
        incidents: what healed there stays open for ever, and is not counted.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from reconciler.evidence.entry import Kind, Reference
from reconciler.evidence.record import Record
from reconciler.learn.trial import Choice, Chooser, Ending, Sight, Trial
from reconciler.model.values import Value

Body = Mapping[str, Any]

_APPROVED = re.compile(r"approval \S.*sha256:[0-9a-f]{64}", re.DOTALL)
_BAD = frozenset({"failed", "rolled_back", "interrupted"})
_HOLES = ("…", "[withheld: ")


@dataclass(slots=True)
class _Open:
    """A trial under way: the rules it is for, and which of their incidents still soak."""

    trial: Trial
    rules: frozenset[str]
    soaking: set[str] = field(default_factory=set)


def trials_of(records: Iterable[Record]) -> tuple[Trial, ...]:
    """Every trial of one host, by the order in which they began.

    Args:
        records: Proven entries of one branch, oldest first.
    """
    seen = _Witness()
    for record in records:
        if not record.entry.slim:
            seen.follow(record)
    return tuple(sorted(seen.trials(), key=lambda trial: (trial.seq, trial.choice)))


class _Witness:
    def __init__(self) -> None:
        self._ended: list[Trial] = []
        self._begun: dict[Reference, list[_Open]] = {}
        self._soaking: list[_Open] = []

    def trials(self) -> Iterator[Trial]:
        yield from self._ended
        yield from (each.trial for opened in self._begun.values() for each in opened)
        yield from (each.trial for each in self._soaking)

    def follow(self, record: Record) -> None:
        entry = record.entry
        if entry.kind is Kind.OUTCOME and entry.closes is not None:
            self._outcome(record, self._begun.pop(entry.closes, []))
        # Of an intent first: that a fix came undone rides in the intent of the next one.
        self._moved(record)
        if entry.kind is Kind.INTENT:
            self._begun[record.reference] = list(_begun(record))

    def _outcome(self, record: Record, opened: list[_Open]) -> None:
        body = record.entry.body
        to_soak = {
            str(move.get("rule")): str(move.get("id"))
            for move in _moves(body)
            if move.get("to") == "soak"
        }
        result = body.get("result")
        for each in opened:
            each.trial = replace(each.trial, reference=_reference(record))
            if result == "healed":
                each.soaking = {to_soak[rule] for rule in each.rules if rule in to_soak}
                self._soaking.append(each)
            elif result in _BAD:
                self._end(each, "failure")

    def _moved(self, record: Record) -> None:
        for move in _moves(record.entry.body):
            if move.get("from") != "soak":
                continue
            incident = move.get("id")
            for each in [one for one in self._soaking if incident in one.soaking]:
                if move.get("to") != "closed":
                    self._settle(each, "failure")
                # Closed because somebody excepted it, say, is not a fix that held.
                elif move.get("reason") == "held":
                    each.soaking.discard(str(incident))
                    if not each.soaking:
                        self._settle(each, "success")

    def _settle(self, each: _Open, ending: Ending) -> None:
        self._soaking.remove(each)
        self._end(each, ending)

    def _end(self, each: _Open, ending: Ending) -> None:
        self._ended.append(replace(each.trial, ending=ending))


def _begun(record: Record) -> Iterator[_Open]:
    """The trials that an intent begins: one for each check that it was for."""
    body = record.entry.body
    action, found = body.get("action"), body.get("found")
    if not isinstance(action, Mapping) or not isinstance(found, list | tuple):
        return
    # What a host says of another is no voice of that other.
    target = f"{record.entry.client}/{record.entry.host}"
    if action.get("target") != target:
        return
    failing: dict[str, list[Body]] = {}
    for finding in found:
        if isinstance(finding, Mapping) and finding.get("status") == "fail":
            failing.setdefault(str(finding.get("check")), []).append(finding)
    for check, findings in sorted(failing.items()):
        trial = Trial(
            choice=Choice.of(check, action),
            chooser=_chooser(action, body),
            target=target,
            reference=_reference(record),
            seq=record.entry.seq,
            at=record.entry.time,
            ending="open",
            seen=tuple(_sight(finding) for finding in findings),
            healing=tuple(map(str, action.get("healing", ()))),
        )
        yield _Open(trial, frozenset(str(finding.get("rule")) for finding in findings))


def _chooser(action: Body, body: Body) -> Chooser:
    if action.get("tier") == "L2":
        return "model"
    if action.get("tier") == "L3" or any(map(_is_approval, body.get("verdicts", ()))):
        return "person"
    return "rule"


def _is_approval(verdict: object) -> bool:
    """Whether a verdict allows because a person said yes, and names the file in which they did."""
    return (
        isinstance(verdict, Mapping)
        and verdict.get("guard") == "approval"
        and verdict.get("ruling") == "allow"
        and _APPROVED.search(str(verdict.get("reason"))) is not None
    )


def failed_values(finding: Body) -> dict[str, Value]:
    """What a finding of an entry failed by, as far as evidence holds the whole value."""
    return dict(_failed(finding))


def _sight(finding: Body) -> Sight:
    return Sight(severity=finding["severity"], failed=failed_values(finding))


def _failed(finding: Body) -> Iterator[tuple[str, Value]]:
    observed = finding.get("observed", {})
    for name in finding.get("failed", ()):
        value = observed.get(name)
        value = tuple(value) if isinstance(value, list) else value
        if not _withheld(value):
            yield name, value


def _withheld(value: Value) -> bool:
    items = value if isinstance(value, tuple) else (value,)
    return any(isinstance(i, str) and any(mark in i for mark in _HOLES) for i in items)


def _moves(body: Body) -> Iterator[Body]:
    moves = body.get("incidents", ())
    if isinstance(moves, list | tuple):
        yield from (move for move in moves if isinstance(move, Mapping))


def _reference(record: Record) -> str:
    entry = record.entry
    return f"{entry.client}/{entry.host}@{entry.seq}:sha256:{record.digest}"
