"""Proposals as values: what is proposed, what is not and why, and what it would have done."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from reconciler.evidence.entry import stamp
from reconciler.learn.candidates import Candidate
from reconciler.learn.demotion import Demotion
from reconciler.model.healing_rule import HealingRule


@dataclass(frozen=True, slots=True)
class Coverage:
    """Of the recorded faults of a check, how many a rule would answer."""

    answered: int
    seen: int


@dataclass(frozen=True, slots=True)
class Replay:
    """The recorded incidents of one host, played again.

    Attributes:
        with_rule: What they would come to with the new rule, as simulations say it.
        changes: What of it would be otherwise without.
    """

    target: str
    with_rule: Mapping[str, Any]
    changes: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Promoted:
    """A rule to add.

    Attributes:
        path: Of its file.
        text: What is in it.
    """

    candidate: Candidate
    rule: HealingRule
    path: str
    text: str
    coverage: Coverage
    replays: tuple[Replay, ...]


@dataclass(frozen=True, slots=True)
class Demoted:
    """A rule to switch off."""

    demotion: Demotion
    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Declined:
    """What the numbers would propose and the fleet does not allow."""

    rule: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposals:
    """Everything that some evidence says.

    Attributes:
        hosts: Whose evidence was read.
        trials: How many actions were counted.
        waiting: Candidates that are not ripe, each with what it lacks.
    """

    hosts: tuple[str, ...]
    trials: int
    promoted: tuple[Promoted, ...]
    demoted: tuple[Demoted, ...]
    waiting: tuple[Candidate, ...]
    declined: tuple[Declined, ...]

    @property
    def files(self) -> dict[str, bytes]:
        """What is to be written, by path."""
        added = {one.path: one.text.encode() for one in self.promoted}
        return added | {one.path: one.text.encode() for one in self.demoted}

    @property
    def name(self) -> str:
        """Of the branch: the same proposals have the same one."""
        said = b"".join(p.encode() + b"\0" + text + b"\0" for p, text in sorted(self.files.items()))
        return f"propose/{sha256(said).hexdigest()[:12]}"

    def document(self) -> dict[str, Any]:
        """For machines and for pages; the same proposals have the same one."""
        return {
            "hosts": list(self.hosts),
            "trials": self.trials,
            "promoted": [_promoted(one) for one in self.promoted],
            "demoted": [_demoted(one) for one in self.demoted],
            "waiting": [_candidate(one) for one in self.waiting],
            "declined": [{"rule": one.rule, "reason": one.reason} for one in self.declined],
        }


def _promoted(one: Promoted) -> dict[str, Any]:
    return _candidate(one.candidate) | {
        "path": one.path,
        "priority": one.rule.priority,
        "where": {name: dict(wanted) for name, wanted in one.candidate.where.items()},
        "coverage": {"answered": one.coverage.answered, "seen": one.coverage.seen},
        "replays": [
            {"host": r.target, "with_rule": dict(r.with_rule), "changes": dict(r.changes)}
            for r in one.replays
        ],
    }


def _demoted(one: Demoted) -> dict[str, Any]:
    return {
        "rule": one.demotion.rule.id,
        "path": one.path,
        "failures": list(one.demotion.references),
        "first": stamp(one.demotion.first),
        "last": stamp(one.demotion.last),
    }


def _candidate(one: Candidate) -> dict[str, Any]:
    return {
        "rule": one.id,
        "check": one.choice.check,
        "runbook": one.choice.runbook,
        "runbook_digest": one.choice.digest,
        "successes": one.successes,
        "failures": one.failures,
        "open": one.open,
        "chosen_by_model": one.by_model,
        "chosen_by_people": one.by_people,
        "bound_ten_thousandths": one.bound,
        "hosts": list(one.hosts),
        "first": _moment(one.first),
        "last": _moment(one.last),
        "missing": [{"what": m.what, "have": m.have, "need": m.need} for m in one.missing],
    }


def _moment(at: datetime | None) -> str | None:
    return None if at is None else stamp(at)
