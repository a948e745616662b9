"""Which commits are new between what was accepted and what is offered.

libgit2 walks; `reconciler.desired.trust` reads each commit with its own strict parser and holds the
parents that libgit2 followed against the parents that it parsed, so that neither hides one.
"""

import pygit2
from pygit2.enums import SortMode

from reconciler.desired.limits import ReadLimits
from reconciler.desired.objects import MirrorDamaged
from reconciler.desired.refusal import Reason, refuse

_HINT = "Run again with the fleet server in reach: the mirror is then built anew."


def check_forward(repository: pygit2.Repository, accepted: str, head: str) -> None:
    """Hold that history only grew.

    Raises:
        IntentRefused: ``rewound``: the head is older than what was accepted (a push of an old,
            validly signed commit); ``not-fast-forward``: the head is on another branch of history.
        MirrorDamaged: A commit on the way is missing.
    """
    if accepted not in repository:
        what = f"does not follow from {accepted[:12]}, which was accepted and is gone"
        raise refuse(Reason.NOT_FAST_FORWARD, head, what)
    if head == accepted or _descends(repository, head, accepted):
        return
    if _descends(repository, accepted, head):
        what = f"is older than {accepted[:12]}, which was accepted: the branch was rewound"
        raise refuse(Reason.REWOUND, head, what)
    what = f"does not follow from {accepted[:12]}, which was accepted: the branch was forked"
    raise refuse(Reason.NOT_FAST_FORWARD, head, what)


def new_commits(
    repository: pygit2.Repository, accepted: str | None, head: str, limits: ReadLimits
) -> dict[str, tuple[str, ...]]:
    """Commits reachable from the head and not from what was accepted, parents first.

    Returns:
        From each id to the ids of the parents that libgit2 followed.

    Raises:
        IntentRefused: ``too-many-commits``.
        MirrorDamaged: A commit on the way is missing.
    """
    found: dict[str, tuple[str, ...]] = {}
    try:
        walker = repository.walk(head, SortMode.TOPOLOGICAL | SortMode.REVERSE)
        if accepted is not None:
            walker.hide(accepted)
        for commit in walker:
            if len(found) >= limits.commits:
                what = f"brings more than {limits.commits} new commits"
                raise refuse(Reason.TOO_MANY_COMMITS, head, what)
            found[str(commit.id)] = tuple(map(str, commit.parent_ids))
    except (pygit2.GitError, KeyError, ValueError) as error:
        raise MirrorDamaged(f"history of {head[:12]} is incomplete", hint=_HINT) from error
    return found


def _descends(repository: pygit2.Repository, commit: str, ancestor: str) -> bool:
    try:
        return repository.descendant_of(commit, ancestor)
    except (pygit2.GitError, KeyError, ValueError) as error:
        raise MirrorDamaged(f"history of {commit[:12]} is incomplete", hint=_HINT) from error
