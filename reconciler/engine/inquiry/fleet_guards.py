"""What the evidence of many hosts says of runbooks: breakers to open, stages to move on.

No appliance sees another's evidence. Whoever keeps it runs this, reads what it proposes, and signs
the change of the fleet repository; every appliance follows at its next pull.

Rule 1: A branch that does not verify is said, counts for nothing, and holds the stage of its host.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from reconciler.desired.fleet import Fleet
from reconciler.engine.inquiry.fleet_evidence import Evidence, read_each, recent
from reconciler.evidence.entry import Kind
from reconciler.evidence.record import Branch, Record
from reconciler.guard.fleet_fold import Ending, Ran, moves, newly_open
from reconciler.learn.trial import Trial
from reconciler.learn.witness import trials_of
from reconciler.model.fleet_wide import FleetMove, OpenBreaker

BAD = frozenset({"failed", "rolled_back", "interrupted"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the evidence holds.

    Attributes:
        runs: Runs of runbooks on hosts of the fleet.
        hosts: Hosts of the fleet whose evidence was read.
        unread: Why the evidence of a host could not be read, by target.
        strangers: Branches of what is no host of the fleet.
    """

    runs: tuple[Ran, ...]
    hosts: tuple[str, ...]
    unread: dict[str, str]
    strangers: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What to write into the fleet repository.

    Attributes:
        breakers: To add.
        moves: What becomes of every version that is being rolled out.
    """

    breakers: tuple[OpenBreaker, ...]
    moves: tuple[FleetMove, ...]


def look_at(evidence: Evidence, fleet: Fleet, since: datetime) -> Seen:
    """Prove and fold the newest entries of every branch.

    Args:
        evidence: Repositories with their branches.
        fleet: Whose hosts count.
        since: Where to stop.

    Raises:
        InputError: Two repositories speak of one host.
    """
    read = read_each(evidence, fleet, lambda branch, records: _runs(branch, records, since))
    return Seen(
        runs=tuple(run for runs in read.found.values() for run in runs),
        hosts=read.hosts,
        unread=read.unread,
        strangers=read.strangers,
    )


def propose(seen: Seen, fleet: Fleet, now: datetime) -> Proposal:
    """Breakers to add, and what becomes of every stage."""
    in_use = {
        name: f"sha256:{digest}"
        for name in fleet.runbooks
        if (digest := fleet.digests.get(f"runbooks/{name}.yaml"))
    }
    numbers = fleet.guards.breaker
    added = newly_open(seen.runs, numbers, fleet.breakers, in_use, now.date())
    found = moves(
        fleet.rollout,
        seen.runs,
        numbers,
        tuple(fleet.hosts),
        in_use=in_use,
        off={each.digest for each in (*fleet.breakers.breakers, *added)},
        unread=tuple(seen.unread),
    )
    return Proposal(breakers=added, moves=found)


def _runs(branch: Branch, records: Iterator[Record], since: datetime) -> list[Ran]:
    target = f"{branch.client}/{branch.host}"
    newest = list(recent(records, since))
    failed = {
        f"{target}@{r.entry.seq}:sha256:{r.digest}"
        for r in newest
        if r.entry.kind is Kind.OUTCOME and r.entry.body.get("result") in BAD
    }
    trials = trials_of(reversed(newest))
    return [_ran(trial, failed) for trial in trials if trial.target == target]


def _ran(trial: Trial, failed: set[str]) -> Ran:
    ending: Ending = "open"
    if trial.ending == "success":
        ending = "healed"
    elif trial.ending == "failure":
        ending = "failed" if trial.reference in failed else "undone"
    return Ran(
        target=trial.target,
        runbook=trial.choice.runbook,
        digest=f"sha256:{trial.choice.digest}",
        at=trial.at,
        ending=ending,
        reference=trial.reference,
    )
