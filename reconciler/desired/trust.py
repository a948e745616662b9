"""Whether a new desired state is trusted: every new commit, signed by who was trusted before it.

Rule 1: Whoever signs a commit must be allowed by ``policies/trust/allowed_signers`` in the tree of
        each of its parents, at its committer time. Trust changes only by trusted commits.
Rule 2: A root commit must be signed by a pinned signer. At enrolment, when nothing was accepted
        yet, the head must be too, by one whose window is open now: a key that ended can date a
        history back, and there is no accepted commit yet to hold it against.
Rule 3: Between what was accepted and the head, every commit counts, those of merged branches too.
        One that grew from a commit older than the accepted one is held to the accepted signers as
        well, so that a key which was revoked meanwhile opens no side door.
Rule 4: History only grows and time only moves forward along it.
Rule 5: The head must leave a signers file behind that still lists who signed the head.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import pygit2

from reconciler.desired.history import check_forward, new_commits
from reconciler.desired.limits import READ_LIMITS, ReadLimits
from reconciler.desired.objects import Objects
from reconciler.desired.refusal import Reason, refuse
from reconciler.desired.tree import FleetTree
from reconciler.errors import EvidenceError, InputError
from reconciler.evidence import signers as signers_file
from reconciler.evidence import sshsig
from reconciler.evidence.commit import Commit
from reconciler.evidence.signers import AllowedSigners, Refusal, Signer

CLOCK_TOLERANCE = timedelta(minutes=5)

_REFUSALS = {
    Refusal.UNKNOWN_KEY: (Reason.UNKNOWN_SIGNER, "is not allowed"),
    Refusal.WRONG_NAMESPACE: (Reason.UNKNOWN_SIGNER, "is not allowed in namespace git"),
    Refusal.EXPIRED: (Reason.SIGNER_EXPIRED, "had ended"),
    Refusal.NOT_YET_VALID: (Reason.SIGNER_NOT_YET_VALID, "had not begun"),
    Refusal.OUT_OF_POSITION: (Reason.UNKNOWN_SIGNER, "is bound to entries of a ledger"),
}


@dataclass(frozen=True, slots=True)
class VerifiedCommit:
    """A commit and who signed it.

    Attributes:
        commit: Hex id.
        signer: Principal of the allowed signers file.
        key: Fingerprint, ``SHA256:...``.
        at: Committer time, UTC.
    """

    commit: str
    signer: str
    key: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What may be accepted now.

    Attributes:
        previous: What was accepted before, None at enrolment.
        commit: The head.
        tree: Hex id of its tree.
        commits: Every new commit, parents first; empty if the head is what was accepted.
    """

    previous: str | None
    commit: str
    tree: str
    commits: tuple[VerifiedCommit, ...]


def verify_new(
    repository: pygit2.Repository,
    accepted: str | None,
    head: str,
    pinned: AllowedSigners,
    now: datetime,
    limits: ReadLimits = READ_LIMITS,
) -> Acceptance:
    """Verify every commit that is new.

    Args:
        repository: Mirror that holds both commits.
        accepted: Hex id of the last accepted commit, None at enrolment.
        head: Hex id of the offered commit.
        pinned: Who is trusted before anything was accepted.
        now: Wall time, timezone-aware.
        limits: How much there may be.

    Raises:
        IntentRefused: With one of `reconciler.desired.refusal.Reason` and the commit that fails.
        MirrorDamaged: An object is missing.
    """
    objects = Objects(repository, limits)
    objects.commit(head)
    if accepted is not None:
        check_forward(repository, accepted, head)
    found = new_commits(repository, accepted, head, limits)
    examiner = _Examiner(objects, accepted, pinned, now, frozenset(found), limits)
    verified = tuple(examiner.examine(commit, followed) for commit, followed in found.items())
    if verified:
        examiner.examine_head(head)
    return Acceptance(accepted, head, objects.commit(head).tree, verified)


def reverify(
    repository: pygit2.Repository, accepted: str, limits: ReadLimits = READ_LIMITS
) -> VerifiedCommit:
    """Hold what was accepted against the newest signers it brought along.

    Raises:
        IntentRefused: ``signer-revoked``, or what is wrong with its signature or signers file.
        MirrorDamaged: An object is missing.
    """
    objects = Objects(repository, limits)
    commit = objects.commit(accepted)
    public = _signed_by(accepted, commit)
    signers = _Signers(objects, limits).of(accepted, accepted)
    return _still_listed(accepted, commit, public, signers)


class _Signers:
    """The signers file of a commit's tree, parsed once for each content."""

    def __init__(self, objects: Objects, limits: ReadLimits) -> None:
        self._objects = objects
        self._limits = limits
        self._by_blob: dict[str, AllowedSigners] = {}

    def of(self, commit: str, asked_by: str) -> AllowedSigners:
        """Signers in the tree of ``commit``; a refusal names ``asked_by``."""
        found = FleetTree(self._objects, commit, self._limits).signers()
        place = "its tree" if commit == asked_by else f"its parent {commit[:12]}"
        if found is None:
            what = f"cannot be trusted: {place} has no policies/trust/allowed_signers"
            raise refuse(Reason.SIGNERS_MISSING, asked_by, what)
        blob, data = found
        if blob not in self._by_blob:
            self._by_blob[blob] = self._parse(data, asked_by, place)
        return self._by_blob[blob]

    def _parse(self, data: bytes, asked_by: str, place: str) -> AllowedSigners:
        try:
            signers = signers_file.parse(data, "policies/trust/allowed_signers")
        except InputError as error:
            line = f" (line {error.where.line})" if error.where and error.where.line else ""
            what = f"cannot be trusted: the allowed_signers of {place} are not readable{line}"
            raise refuse(Reason.SIGNERS_MISSING, asked_by, what) from error
        if not signers.signers:
            what = f"cannot be trusted: the allowed_signers of {place} list nobody"
            raise refuse(Reason.SIGNERS_MISSING, asked_by, what)
        return signers


class _Examiner:
    """One verification: the commits of one range, each looked at once."""

    def __init__(
        self,
        objects: Objects,
        accepted: str | None,
        pinned: AllowedSigners,
        now: datetime,
        new: frozenset[str],
        limits: ReadLimits,
    ) -> None:
        self._objects = objects
        self._signers = _Signers(objects, limits)
        self._limits = limits
        self._accepted = accepted
        self._pinned = pinned
        self._now = now
        self._new = new

    def examine(self, oid: str, followed: tuple[str, ...]) -> VerifiedCommit:
        """Rules 1 to 4 for one new commit."""
        commit = self._objects.commit(oid)
        if commit.parents != followed:
            what = "names other parents than Git follows"
            raise refuse(Reason.MALFORMED_COMMIT, oid, what)
        public = _signed_by(oid, commit)
        self._check_time(oid, commit)
        first, *others = self._authorities(oid, commit)
        signer = _allowed(oid, commit, public, first)
        for signers in others:
            _allowed(oid, commit, public, signers)
        if self._accepted and not (commit.parents and self._new.issuperset(commit.parents)):
            signers = self._signers.of(self._accepted, oid)
            return _still_listed(oid, commit, public, signers)
        return _verified(oid, commit, public, signer)

    def examine_head(self, head: str) -> None:
        """Rules 2 and 5, and the tree that is going to be read."""
        commit = self._objects.commit(head)
        public = _signed_by(head, commit)
        if self._accepted is None:
            _allowed(head, commit, public, self._pinned)
            _allowed(head, commit, public, self._pinned, self._now)
        _still_listed(head, commit, public, self._signers.of(head, head))
        FleetTree(self._objects, head, self._limits).listing()

    def _authorities(self, oid: str, commit: Commit) -> tuple[AllowedSigners, ...]:
        if not commit.parents:
            return (self._pinned,)
        return tuple(self._signers.of(parent, oid) for parent in commit.parents)

    def _check_time(self, oid: str, commit: Commit) -> None:
        at = commit.committer.time
        if at > self._now + CLOCK_TOLERANCE:
            what = f"is dated {at:%Y-%m-%dT%H:%M:%SZ}, later than this machine's clock"
            raise refuse(Reason.FROM_THE_FUTURE, oid, what)
        for parent in commit.parents:
            if at < self._objects.commit(parent).committer.time:
                what = f"is dated {at:%Y-%m-%dT%H:%M:%SZ}, before its parent {parent[:12]}"
                raise refuse(Reason.TIME_WENT_BACK, oid, what)


def _signed_by(oid: str, commit: Commit) -> bytes:
    if commit.armor is None:
        raise refuse(Reason.UNSIGNED, oid, "is not signed")
    try:
        return commit.signed_by()
    except EvidenceError as error:
        what = "has a signature that does not fit or is not SSH Ed25519"
        raise refuse(Reason.BAD_SIGNATURE, oid, what) from error


def _allowed(
    oid: str, commit: Commit, public: bytes, signers: AllowedSigners, at: datetime | None = None
) -> Signer:
    found = signers.find(public, sshsig.GIT_NAMESPACE, at or commit.committer.time)
    if isinstance(found, Signer):
        return found
    reason, words = _REFUSALS[found]
    what = f"is signed by {sshsig.fingerprint(public)}, which {words} (by {signers.file})"
    raise refuse(reason, oid, what)


def _still_listed(
    oid: str, commit: Commit, public: bytes, signers: AllowedSigners
) -> VerifiedCommit:
    if any(signer.public == public for signer in signers.signers):
        return _verified(oid, commit, public, _allowed(oid, commit, public, signers))
    what = f"is signed by {sshsig.fingerprint(public)}, which the newest signers no longer list"
    raise refuse(Reason.SIGNER_REVOKED, oid, what)


def _verified(oid: str, commit: Commit, public: bytes, signer: Signer) -> VerifiedCommit:
    key = sshsig.fingerprint(public)
    return VerifiedCommit(oid, signer.principal, key, commit.committer.time)
