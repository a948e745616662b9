"""What comes from the fleet's server: the branch that counts, and the attestations beside it.

Both come in one connection, so that they fit together. Anybody who may push could fill the
attestations branch, so it must never stand in the way of the other one.

Rule 1: If a fetch of both fails, the branch that counts is fetched alone.
Rule 2: A tip that was in the way is not asked for again, until it moves or some time has gone by.
Rule 3: What was fetched before stays; a branch that the server no longer has goes here too.
"""

from dataclasses import dataclass, replace

import pygit2

from reconciler.desired.limits import FetchLimits
from reconciler.desired.mirror import Mirror
from reconciler.desired.refusal import Reason, refuse
from reconciler.errors import InputError, MachineError
from reconciler.transport.cause import Cause, failure
from reconciler.transport.fetch import Fetched, Second, fetch
from reconciler.transport.location import check_branch
from reconciler.transport.server import Server

_SKIPPED = 10
"""Fetches during which a tip that was in the way is not asked for."""

_SERVER = {"server": "fleet server", "meanwhile": "the last accepted state stays in force"}


class Incoming:
    """Two branches of one server; remembers which tip of the second one was in the way."""

    def __init__(
        self, server: Server, limits: FetchLimits, branch: str, beside: str | None
    ) -> None:
        """Nothing is fetched yet.

        Args:
            server: From where.
            limits: Bounds of a fetch.
            branch: The one branch that counts.
            beside: The attestations branch, which may be missing; None to ask for none.

        Raises:
            InputError: A name that is not allowed, or the same twice.
        """
        if beside is not None and check_branch(beside) == branch:
            message = f"branch {branch} cannot hold its own attestations"
            raise InputError(message, hint="Set fleet.attestations to a branch of its own.")
        self._server = server
        self._limits = limits
        self._branch = branch
        self._beside = beside
        self._into = f"refs/beside/{beside}"
        self._missed: _Missed | None = None

    def fetch(self, mirror: Mirror) -> str:
        """Fetch both; returns the tip of the branch that counts.

        Raises:
            MachineError: No network, unknown host, refused credentials, too slow, too large.
            IntentRefused: ``missing-branch``.
        """
        fetched = self._fetch_both(mirror)
        if fetched.commit is not None:
            return fetched.commit
        if fetched.cause == "missing-branch" or fetched.cause is None:
            raise refuse(Reason.MISSING_BRANCH, None, f"has no branch {self._branch}")
        message, hint = failure(fetched.cause, **_SERVER)
        raise MachineError(f"{message} ({self._server.location.url}: {fetched.detail})", hint=hint)

    def beside(
        self, repository: pygit2.Repository
    ) -> tuple[str | None, tuple[tuple[str, str], ...]]:
        """What a mirror has of the attestations branch.

        Returns:
            Hex id of its tip, None if there is none; and why a newer one is not here, if so.
        """
        if self._beside is None:
            return None, ()
        reference = repository.references.get(self._into)
        missed = () if self._missed is None else ((self._beside, self._missed.why),)
        return None if reference is None else str(reference.target), missed

    def _fetch_both(self, mirror: Mirror) -> Fetched:
        if self._beside is None:
            return self._fetch(mirror, None)
        missed = self._missed and self._missed.once_more()
        skip = missed.tip if missed else None
        fetched = self._fetch(mirror, Second(self._beside, self._into, skip))
        if fetched.cause is None:
            self._missed = missed if skip is not None and fetched.second == skip else None
            return fetched
        if fetched.second is None or not fetched.asked:
            return fetched
        self._missed = _Missed(fetched.second, fetched.cause)
        # A transfer that was killed leaves locks and half a pack behind.
        mirror.clear_leftovers()
        return self._fetch(mirror, None)

    def _fetch(self, mirror: Mirror, second: Second | None) -> Fetched:
        return fetch(
            self._server,
            self._limits,
            repository=mirror.path,
            home=mirror.path / "client-home",
            branch=self._branch,
            into=f"refs/incoming/{self._branch}",
            second=second,
        )


@dataclass(frozen=True, slots=True)
class _Missed:
    """A tip of the attestations branch that was in the way.

    Attributes:
        tip: Hex id of the commit.
        why: The cause.
        left: Fetches until it is tried again.
    """

    tip: str
    why: Cause
    left: int = _SKIPPED

    def once_more(self) -> "_Missed | None":
        """What is left of it at the next fetch; None if it is time to try again."""
        return replace(self, left=self.left - 1) if self.left else None
