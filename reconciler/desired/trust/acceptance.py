"""What a verification ends in."""

from dataclasses import dataclass
from datetime import datetime

from reconciler.desired.trees import Leaf
from reconciler.desired.trust.rulings import Ruling


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
class Recovered:
    """A recovery that was used: a threshold of people put another commit in the place of A.

    Attributes:
        to: The commit.
        issued: When it was written; no older one is used again.
        digest: SHA-256 of its payload, hex.
        people: Ids of those who signed.
        reason: Its code.
    """

    to: str
    issued: datetime
    digest: str
    people: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Suspect:
    """Live content by a revoked key, before anybody's approval is looked at.

    Attributes:
        path: Where.
        leaf: What.
        commit: Who brought it.
        public: The key.
        effective: From when on it is revoked.
        trees: Trees of the first-parent line at or after the commit that hold it.
    """

    path: str
    leaf: Leaf
    commit: str
    public: bytes
    effective: datetime
    trees: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tainted:
    """Live content that somebody wrote with a key after it was revoked.

    Attributes:
        path: As it may be shown.
        commit: Who brought it, hex id.
        key: Fingerprint.
    """

    path: str
    commit: str
    key: str


@dataclass(frozen=True, slots=True)
class Standing:
    """How a commit that is in force stands to the newest trust it brought along.

    Attributes:
        commit: Hex id.
        signed: Who signed it; None on a branch that needs no signed commits.
        tainted: What must not be acted on; empty if all is well.
        suspects: What was found before approvals were looked at; the same at the next look.
    """

    commit: str
    signed: VerifiedCommit | None
    tainted: tuple[Tainted, ...]
    suspects: tuple[Suspect, ...]


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What may be accepted now.

    Attributes:
        previous: What was accepted before, None at enrolment.
        commit: The head.
        tree: Hex id of its tree.
        commits: Every new commit whose signature counts, parents first; empty if the head is what
            was accepted, or the branch needs no signed commits.
        recovery: The recovery that was used, None if none was.
        tainted: Content that nothing may act on until it is replaced or approved anew.
        rulings: What each rule said, in the order of the checks.
    """

    previous: str | None
    commit: str
    tree: str
    commits: tuple[VerifiedCommit, ...]
    recovery: Recovered | None = None
    tainted: tuple[Tainted, ...] = ()
    rulings: tuple[Ruling, ...] = ()
