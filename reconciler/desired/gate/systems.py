"""Which systems releases name for the hosts of two revisions, for the plan of a change.

Rule 1: The trust of the base decides whose releases count: a change cannot bring its own CI along.
"""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime

import pygit2

from reconciler.desired.attestations import Attestations
from reconciler.desired.gate.revision import Revisions
from reconciler.desired.trust.systems import Named, releases_along
from reconciler.model.desired import DesiredState
from reconciler.model.review import Review, SystemChange
from reconciler.model.system import ClosureDiff

_KIND = "nixos"


def system_changes(
    revisions: Revisions,
    review: Review,
    states: Mapping[str, DesiredState],
    *,
    branch: str,
    attestations: str,
    hosts: Collection[str] = (),
) -> tuple[SystemChange, ...]:
    """What becomes of the system of every NixOS host, as far as CI has released it.

    Args:
        revisions: The repository.
        review: Names both revisions and the time.
        states: Of the head, by target.
        branch: The branch that appliances follow.
        attestations: The branch that releases are on, here or on the server as it was fetched.
        hosts: Only these targets; all of them when empty.

    Raises:
        IntentRefused: The trust files of the base cannot be read.
        MirrorDamaged: This clone lacks an object.
    """
    targets = [t for t, s in sorted(states.items()) if s.host.kind == _KIND]
    wanted = [target for target in targets if not hosts or target in hosts]
    beside = _beside(revisions.repository, attestations)
    if not wanted or beside is None:
        return ()
    found = [
        _newest(revisions, commit, review.base.commit, branch, beside, wanted, review.at)
        for commit in (review.base.commit, review.head.commit)
    ]
    return tuple(_changes(*found))


def _newest(
    revisions: Revisions,
    commit: str,
    trusted: str,
    branch: str,
    beside: str,
    targets: Collection[str],
    now: datetime,
) -> dict[str, Named]:
    releases = releases_along(
        revisions.repository,
        commit,
        branch=branch,
        now=now,
        attestations=Attestations(revisions.repository, beside),
        trusted=trusted,
    )
    found = {}
    for target in targets:
        named = (one for one in releases.systems(target, None) if isinstance(one, Named))
        newest = next(named, None)
        if newest is not None:
            found[target] = newest
    return found


def _changes(old: dict[str, Named], new: dict[str, Named]) -> Iterator[SystemChange]:
    for target, named in new.items():
        before = old[target].system.path if target in old else None
        if before != named.system.path:
            yield SystemChange(
                target=target,
                old=before,
                new=named.system.path,
                release=named.commit,
                diff=_diff(named.system.diff, before),
            )


def _diff(diff: ClosureDiff | None, before: str | None) -> ClosureDiff | None:
    """What the release says of the change, if it speaks of these two systems."""
    return diff if diff is not None and diff.since == before else None


def _beside(repository: pygit2.Repository, branch: str) -> str | None:
    for name in (f"refs/heads/{branch}", f"refs/remotes/origin/{branch}"):
        try:
            return str(repository.lookup_reference(name).peel(pygit2.Commit).id)
        except (pygit2.GitError, KeyError, ValueError):
            continue
    return None
