"""The fleet repository as an engineer has it: a clone, before anything is pushed.

Nothing is fetched and nothing is written: what the clone holds is judged as an appliance would.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pygit2

from reconciler.desired.attestations import Attestations
from reconciler.desired.limits import READ_LIMITS, ReadLimits
from reconciler.desired.objects import MirrorDamaged
from reconciler.desired.trust import verify as trust
from reconciler.desired.trust.rulings import Ruling
from reconciler.errors import InputError
from reconciler.evidence.signers import AllowedSigners

_PREFIXES = ("", "refs/heads/", "refs/remotes/origin/", "refs/incoming/", "refs/beside/")


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was judged, and every ruling.

    Attributes:
        commit: Hex id of the offered commit.
        accepted: Hex id of what it was held against, None at enrolment.
        branch: The branch that it is offered on.
        attestations: Hex id of the commit with the attestations, None if there is none.
        unread: Path and reason of attestations that were left out.
        rulings: In the order of the checks.
    """

    commit: str
    accepted: str | None
    branch: str
    attestations: str | None
    unread: tuple[tuple[str, str], ...]
    rulings: tuple[Ruling, ...]


@dataclass(frozen=True, slots=True)
class Names:
    """What the command line calls the commits that matter; any revision that Git knows.

    Attributes:
        commit: What is offered.
        accepted: What an appliance has accepted; None: nothing yet.
        pin: What its settings pin; None: nothing.
        attestations: Branch or commit with the attestations; None: the usual one.
        usual: The branch that has them, if it is there; None: there is none.
    """

    commit: str
    accepted: str | None = None
    pin: str | None = None
    attestations: str | None = None
    usual: str | None = "attestations"


def judge_clone(
    directory: Path,
    names: Names,
    pinned: AllowedSigners,
    now: datetime,
    *,
    branch: str,
    recovered_at: datetime | None = None,
    limits: ReadLimits = READ_LIMITS,
) -> Judgement:
    """Ask every rule of a commit in a repository on disk, bare or not.

    Args:
        directory: The repository.
        names: The commits.
        pinned: Who is trusted before anything was accepted.
        now: Wall time, timezone-aware.
        branch: The branch that the commit is offered on.
        recovered_at: ``issued`` of the last recovery that was used.
        limits: How much there may be.

    Raises:
        InputError: There is no such repository or commit, or its history is not whole.
    """
    repository = _open(directory)
    commit = _resolve(repository, names.commit)
    accepted = None if names.accepted is None else _resolve(repository, names.accepted)
    pin = None if names.pin is None else _resolve(repository, names.pin)
    beside = Attestations(repository, _beside(repository, names))
    try:
        rulings = trust.explain(
            repository,
            accepted,
            commit,
            pinned,
            now,
            limits,
            branch=branch,
            attestations=beside,
            pin=pin,
            recovered_at=recovered_at,
        )
    except MirrorDamaged as error:
        message = f"{directory} does not hold the whole history: {error.message}"
        hint = "Fetch all of it: git fetch --unshallow"
        raise InputError(message, hint=hint) from error
    return Judgement(commit, accepted or pin, branch, beside.commit, beside.unread, rulings)


def _open(directory: Path) -> pygit2.Repository:
    try:
        return pygit2.Repository(str(directory))
    except (pygit2.GitError, KeyError, ValueError) as error:
        message = f"{directory} is no Git repository that you may read"
        hint = "Give the clone of the fleet repository: --repository DIRECTORY"
        raise InputError(message, hint=hint) from error


def _resolve(repository: pygit2.Repository, name: str) -> str:
    found = _find(repository, name)
    if found is None:
        message = f"there is no commit {name[:80]!r} in this repository"
        raise InputError(message, hint="See what there is: git log --oneline --all")
    return found


def _beside(repository: pygit2.Repository, names: Names) -> str | None:
    """The commit with the attestations; one that is named must be there."""
    if names.attestations is not None:
        return _resolve(repository, names.attestations)
    return None if names.usual is None else _find(repository, names.usual)


def _find(repository: pygit2.Repository, name: str) -> str | None:
    for prefix in _PREFIXES:
        try:
            found = repository.revparse_single(prefix + name).peel(pygit2.Commit)
        except (pygit2.GitError, KeyError, ValueError):
            continue
        return str(found.id)
    return None
