"""One verification: what it is about, and what it has read and found out so far."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import pygit2

from reconciler.desired.attestations import Attestations
from reconciler.desired.limits import ReadLimits
from reconciler.desired.objects import Objects
from reconciler.desired.trees import Trees
from reconciler.desired.trust.acceptance import VerifiedCommit
from reconciler.desired.trust.files import Policy, TrustFiles
from reconciler.desired.trust.lineage import Lineage
from reconciler.desired.trust.own_changes import OwnChanges
from reconciler.desired.trust.rulings import Docket
from reconciler.evidence.signers import AllowedSigners
from reconciler.trust.judgement import Trust


@dataclass(frozen=True, slots=True)
class Offer:
    """What is to be judged, and by what.

    Attributes:
        accepted: Hex id of the last accepted commit, None at enrolment.
        head: Hex id of the offered commit.
        branch: The branch that is followed.
        now: Wall time, timezone-aware.
        pinned: Who is trusted before anything was accepted.
        attestations: What lies beside the branch.
        pin: Commit that is trusted whole at enrolment, None if none is pinned.
        recovered_at: ``issued`` of the last recovery that was used, None if none was.
    """

    accepted: str | None
    head: str
    branch: str
    now: datetime
    pinned: AllowedSigners
    attestations: Attestations
    pin: str | None = None
    recovered_at: datetime | None = None


class Case:
    """One verification.

    Attributes:
        offer: What is judged.
        start: A: what was accepted, or is pinned, or took its place by a recovery; None if nothing.
        new: Commits reachable from head and not from A, parents first, with the parents that
            libgit2 followed.
        verified: Those whose signature counts.
        keys: The public key that signed each of them.
        docket: What each rule said.
    """

    def __init__(
        self, repository: pygit2.Repository, offer: Offer, limits: ReadLimits, docket: Docket
    ) -> None:
        self.repository = repository
        self.offer = offer
        self.limits = limits
        self.docket = docket
        self.objects = Objects(repository, limits)
        self.lineage = Lineage(self.objects)
        self.trees = Trees(self.objects, limits)
        self.files = TrustFiles(self.objects, self.trees, self.lineage, limits)
        self.own = OwnChanges(self.trees, self.lineage)
        self.start = offer.pin if offer.accepted is None else offer.accepted
        self.new: Mapping[str, tuple[str, ...]] = {}
        self.verified: dict[str, VerifiedCommit] = {}
        self.keys: dict[str, bytes] = {}

    @property
    def head(self) -> str:
        """The offered commit."""
        return self.offer.head

    def policy_at_start(self, asked_by: str) -> Policy | None:
        """P(A); None if there is no A, or it has no policy."""
        return None if self.start is None else self.files.policy(self.start, asked_by)

    def trust_at(self, commit: str, asked_by: str) -> tuple[Policy, Trust] | None:
        """Policy and signers of a commit's tree; None if it has no policy."""
        policy = self.files.policy(commit, asked_by)
        if policy is None:
            return None
        return policy, Trust(self.files.signers(commit, asked_by), policy.people)
