"""What the evidence of many hosts says of runbooks: breakers to open, stages to move on.

No appliance sees another's evidence. Whoever keeps it runs this, reads what it proposes, and signs
the change of the fleet repository; every appliance follows at its next pull.

Rule 1: Every entry is proven before it counts, by the signers that are given for its repository.
Rule 2: A branch that does not verify is said, counts for nothing, and holds the stage of its host.
Rule 3: Only hosts of the fleet count, each by its one branch.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from reconciler.desired.fleet import Fleet
from reconciler.errors import EvidenceError, InputError
from reconciler.evidence.entry import Kind
from reconciler.evidence.record import Branch, Record
from reconciler.guard.fleet_fold import Ending, Ran, moves, newly_open
from reconciler.learn.trial import Trial
from reconciler.learn.witness import trials_of
from reconciler.ledger.reader import newest_first
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


def look_at(
    evidence: Sequence[tuple[Path, Sequence[Branch]]], fleet: Fleet, since: datetime
) -> Seen:
    """Prove and fold the newest entries of every branch.

    Args:
        evidence: Repositories with their branches.
        fleet: Whose hosts count.
        since: Where to stop.

    Raises:
        InputError: Two repositories speak of one host.
    """
    runs: list[Ran] = []
    hosts: set[str] = set()
    unread: dict[str, str] = {}
    strangers: list[str] = []
    for repository, branches in evidence:
        for branch in branches:
            target = f"{branch.client}/{branch.host}"
            if target in hosts:
                message = f"two evidence repositories speak of {target}"
                raise InputError(message, hint="Give each host's evidence once.")
            if target not in fleet.hosts:
                strangers.append(target)
                continue
            hosts.add(target)
            try:
                runs += _runs(repository, branch, since)
            except EvidenceError as error:
                unread[target] = error.message
    return Seen(
        runs=tuple(runs), hosts=tuple(sorted(hosts)), unread=unread, strangers=tuple(strangers)
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


def _runs(repository: Path, branch: Branch, since: datetime) -> list[Ran]:
    records = newest_first(repository, branch.client, branch.host, branch.signers)
    recent = list(_until(records, since))
    failed = {
        f"{branch.client}/{branch.host}@{r.entry.seq}:sha256:{r.digest}"
        for r in recent
        if r.entry.kind is Kind.OUTCOME and r.entry.body.get("result") in BAD
    }
    target = f"{branch.client}/{branch.host}"
    trials = trials_of(reversed(recent))
    return [_ran(trial, failed) for trial in trials if trial.target == target]


def _until(records: Iterable[Record], since: datetime) -> Iterator[Record]:
    for record in records:
        # Clocks of a host may have been set: a day more is read than is asked for.
        if record.entry.time < since - timedelta(days=1):
            return
        yield record


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
