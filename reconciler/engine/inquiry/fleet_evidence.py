"""The evidence of many hosts, host by host, for whoever keeps it.

Rule 1: Every entry is proven before it counts, by the signers that are given for its repository.
Rule 2: A branch that does not verify is said, and counts for nothing.
Rule 3: Only hosts of the fleet count, each by its one branch.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Generic, TypeVar

from reconciler.desired.fleet import Fleet
from reconciler.errors import EvidenceError, InputError
from reconciler.evidence.record import Branch, Record
from reconciler.ledger.reader import newest_first

T = TypeVar("T")

Evidence = Sequence[tuple[Path, Sequence[Branch]]]
"""Repositories with their branches."""


@dataclass(frozen=True, slots=True)
class FleetEvidence(Generic[T]):
    """What was read.

    Attributes:
        found: By target, of hosts whose evidence verifies.
        unread: Why the evidence of a host could not be read, by target.
        strangers: Branches of what is no host of the fleet.
    """

    found: dict[str, T]
    unread: dict[str, str]
    strangers: tuple[str, ...]

    @property
    def hosts(self) -> tuple[str, ...]:
        """Hosts of the fleet of which there is evidence, good or bad."""
        return tuple(sorted({*self.found, *self.unread}))


def read_each(
    evidence: Evidence, fleet: Fleet, fold: Callable[[Branch, Iterator[Record]], T]
) -> FleetEvidence[T]:
    """Prove the entries of every host, as far back as somebody asks for them.

    Args:
        evidence: What was given.
        fleet: Whose hosts count.
        fold: What to make of the entries of one branch, newest first.

    Raises:
        InputError: Two repositories speak of one host.
    """
    read: FleetEvidence[T] = FleetEvidence({}, {}, ())
    strangers: list[str] = []
    for repository, branches in evidence:
        for branch in branches:
            target = f"{branch.client}/{branch.host}"
            if target in read.hosts:
                message = f"two evidence repositories speak of {target}"
                raise InputError(message, hint="Give each host's evidence once.")
            if target not in fleet.hosts:
                strangers.append(target)
                continue
            records = newest_first(repository, branch.client, branch.host, branch.signers)
            try:
                read.found[target] = fold(branch, records)
            except EvidenceError as error:
                read.unread[target] = error.message
    return FleetEvidence(read.found, read.unread, tuple(strangers))


def recent(records: Iterator[Record], since: datetime) -> Iterator[Record]:
    """Entries back to a moment; clocks of a host may have been set, so a day more is read."""
    for record in records:
        if record.entry.time < since - timedelta(days=1):
            return
        yield record
