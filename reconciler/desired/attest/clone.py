"""A person's or CI's clone of the fleet repository: what they are about to sign, in exact terms.

Nothing is checked out and the work tree is not looked at: what is signed is a commit.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from pathlib import Path

import pygit2

from reconciler.desired.attestations import Attestations
from reconciler.desired.limits import READ_LIMITS
from reconciler.desired.objects import MirrorDamaged, Objects
from reconciler.desired.tree import FleetTree
from reconciler.desired.trust.case import Case, Offer
from reconciler.desired.trust.rulings import Docket
from reconciler.errors import InputError, Where
from reconciler.evidence.signers import AllowedSigners
from reconciler.transport.location import check_branch
from reconciler.trust import statements


class AttestClone:
    """One clone.

    Attributes:
        repository: As libgit2 has it.
    """

    def __init__(self, path: Path) -> None:
        """Open it.

        Args:
            path: The clone, or any directory inside it.

        Raises:
            InputError: There is no repository.
        """
        try:
            found = pygit2.discover_repository(str(path))
            if found is None:
                raise KeyError(path)
            self.repository = pygit2.Repository(found)
        except (pygit2.GitError, KeyError, ValueError) as error:
            hint = "Run it in a clone of the fleet repository that is yours, or name one."
            message = "there is no Git repository here"
            raise InputError(message, hint=hint, where=Where(str(path))) from error

    def commit(self, revision: str) -> str:
        """Hex id of the commit that a revision names.

        Raises:
            InputError: It names none.
        """
        try:
            return str(self.repository.revparse_single(revision).peel(pygit2.Commit).id)
        except (pygit2.GitError, KeyError, ValueError) as error:
            hint = "Name a commit, branch or tag of this clone; fetch first if it is new."
            raise InputError(f"{revision[:80]!r} is no commit here", hint=hint) from error

    def tree(self, commit: str) -> str:
        """Hex id of a commit's tree."""
        return str(self.repository[commit].peel(pygit2.Tree).id)

    def digest(self, commit: str) -> str:
        """SHA-256 of the raw commit, as statements name it."""
        return statements.commit_digest(self.repository[commit].read_raw())

    def files_digest(self, commit: str) -> str:
        """One digest of every file that an appliance reads of a commit.

        Raises:
            IntentRefused: ``tree-refused`` or ``too-large``: no appliance would read it.
        """
        objects = Objects(self.repository, READ_LIMITS)
        return statements.files_digest(FleetTree(objects, commit, READ_LIMITS).files())

    def line(self, commit: str, count: int) -> tuple[str, ...]:
        """A commit and what came before it on its first-parent line, newest first.

        Raises:
            InputError: The clone does not have all of it.
        """
        with whole_history():
            found = tuple(islice(self._line(commit), count))
            if len(found) < count:
                self._check_whole()
            return found

    def contains(self, commit: str, ancestor: str) -> bool:
        """Whether a commit is another one or follows from it.

        Raises:
            InputError: The clone does not have all of its history.
        """
        with whole_history():
            if commit == ancestor or self.repository.descendant_of(commit, ancestor):
                return True
            self._check_whole()
            return False

    def case(self, base: str, head: str, branch: str, beside: Attestations, now: datetime) -> Case:
        """The question whether ``head`` may follow ``base``, as an appliance would ask it.

        Raises:
            InputError: The branch has no plain name.
        """
        offer = Offer(base, head, check_branch(branch), now, AllowedSigners("none", ()), beside)
        return Case(self.repository, offer, READ_LIMITS, Docket(whole=True))

    def _check_whole(self) -> None:
        # libgit2 takes the edge of a shallow clone for the beginning of history.
        if self.repository.is_shallow:
            raise KeyError

    def _line(self, commit: str) -> Iterator[str]:
        at: str | None = commit
        while at is not None:
            yield at
            parents = self.repository[at].peel(pygit2.Commit).parent_ids
            at = str(parents[0]) if parents else None


@contextmanager
def whole_history() -> Iterator[None]:
    """Where commits and trees are read that a shallow clone may not have.

    Raises:
        InputError: It does not have them.
    """
    try:
        yield
    except (MirrorDamaged, pygit2.GitError, KeyError) as error:
        message = "this clone does not have the whole history"
        raise InputError(message, hint="Fetch all of it: git fetch --unshallow") from error
