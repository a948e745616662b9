"""R0 and R1: every new commit is signed by who was trusted before it, and time moves forward.

Rule 1: Whoever signs a commit must be allowed by ``policies/trust/allowed_signers`` in the tree of
        each of its parents, at its committer time, and not be revoked by their policies then. A
        root commit must be signed by a pinned signer.
Rule 2: A commit that grew from one older than A is held to the trust at A as well, so that a key
        which was revoked meanwhile opens no side door.
Rule 3: Time only moves forward along history, and is not in the future.
"""

from datetime import datetime
from functools import partial

from reconciler.desired.refusal import Reason, refuse
from reconciler.desired.trust.acceptance import VerifiedCommit
from reconciler.desired.trust.case import Case
from reconciler.errors import EvidenceError
from reconciler.evidence import sshsig
from reconciler.evidence.commit import Commit
from reconciler.evidence.signers import AllowedSigners, Refusal, Signer
from reconciler.trust.judgement import TOLERANCE
from reconciler.trust.people import People

FORWARD, SIGNED = "R0 forward", "R1 signed"

_REFUSALS = {
    Refusal.UNKNOWN_KEY: (Reason.UNKNOWN_SIGNER, "is not allowed"),
    Refusal.WRONG_NAMESPACE: (Reason.UNKNOWN_SIGNER, "is not allowed in namespace git"),
    Refusal.EXPIRED: (Reason.SIGNER_EXPIRED, "had ended"),
    Refusal.NOT_YET_VALID: (Reason.SIGNER_NOT_YET_VALID, "had not begun"),
    Refusal.OUT_OF_POSITION: (Reason.UNKNOWN_SIGNER, "is bound to entries of a ledger"),
}


def examine_commits(case: Case, *, ssh: bool) -> None:
    """Ask R0 and, where the branch needs signed commits, R1 of every new commit.

    Raises:
        IntentRefused: The first that fails, unless everything is collected.
        MirrorDamaged: An object is missing.
    """
    for oid, followed in case.new.items():
        commit = case.objects.commit(oid)
        # What later rules follow is kept while the commit is at hand; it need not be read again.
        case.lineage.link(oid)
        case.docket.ask(FORWARD, oid, "", partial(_check_parents, oid, commit, followed))
        public = None
        if ssh:
            public = case.docket.ask(SIGNED, oid, "", partial(signed_by, oid, commit))
        case.docket.ask(FORWARD, oid, "", partial(_check_time, case, oid, commit))
        if public is not None:
            _examine_signer(case, oid, commit, public)


def _examine_signer(case: Case, oid: str, commit: Commit, public: bytes) -> None:
    words = f"is signed by {sshsig.fingerprint(public)}, which its parents allow"
    verified = case.docket.ask(SIGNED, oid, words, partial(_signer, case, oid, commit, public))
    if verified is not None:
        case.verified[oid] = verified
        case.keys[oid] = public


def _check_parents(oid: str, commit: Commit, followed: tuple[str, ...]) -> None:
    if commit.parents != followed:
        raise refuse(Reason.MALFORMED_COMMIT, oid, "names other parents than Git follows")


def _check_time(case: Case, oid: str, commit: Commit) -> None:
    at = commit.committer.time
    if at > case.offer.now + TOLERANCE:
        what = f"is dated {at:%Y-%m-%dT%H:%M:%SZ}, later than this machine's clock"
        raise refuse(Reason.FROM_THE_FUTURE, oid, what)
    for parent in commit.parents:
        if commit.committer.seconds < case.objects.commit(parent).committer.seconds:
            what = f"is dated {at:%Y-%m-%dT%H:%M:%SZ}, before its parent {parent[:12]}"
            raise refuse(Reason.TIME_WENT_BACK, oid, what)


def _signer(case: Case, oid: str, commit: Commit, public: bytes) -> VerifiedCommit:
    files = case.files
    authorities = [case.offer.pinned]
    if commit.parents:
        authorities = [files.signers(parent, oid) for parent in commit.parents]
    signer, *_ = [allowed(oid, commit, public, signers) for signers in authorities]
    policies = [files.policy(parent, oid) for parent in commit.parents]
    policies.append(case.policy_at_start(oid))
    check_revoked(oid, commit, public, [policy.people for policy in policies if policy])
    if case.start is not None and grew_from_before(case, commit.parents):
        signer = still_listed(oid, commit, public, files.signers(case.start, oid))
    return VerifiedCommit(oid, signer.principal, sshsig.fingerprint(public), commit.committer.time)


def grew_from_before(case: Case, parents: tuple[str, ...]) -> bool:
    """Whether a new commit is a root, or has a parent that is not new."""
    return not parents or any(parent not in case.new for parent in parents)


def signed_by(oid: str, commit: Commit) -> bytes:
    """The key that signed a commit; people may sign with hardware keys.

    Raises:
        IntentRefused: ``unsigned`` or ``bad-signature``.
    """
    if commit.armor is None:
        raise refuse(Reason.UNSIGNED, oid, "is not signed")
    try:
        return commit.signed_by(sk=True)
    except EvidenceError as error:
        what = "has a signature that does not fit or is not SSH Ed25519"
        raise refuse(Reason.BAD_SIGNATURE, oid, what) from error


def allowed(
    oid: str, commit: Commit, public: bytes, signers: AllowedSigners, at: datetime | None = None
) -> Signer:
    """The line that allows a key to have signed a commit.

    Raises:
        IntentRefused: Why there is none.
    """
    found = signers.find(public, sshsig.GIT_NAMESPACE, at or commit.committer.time)
    if isinstance(found, Signer):
        return found
    reason, words = _REFUSALS[found]
    what = f"is signed by {sshsig.fingerprint(public)}, which {words} (by {signers.file})"
    raise refuse(reason, oid, what)


def still_listed(oid: str, commit: Commit, public: bytes, signers: AllowedSigners) -> Signer:
    """As `allowed`, by signers that are newer than the commit.

    Raises:
        IntentRefused: ``signer-revoked`` if they do not list the key at all.
    """
    if any(signer.public == public for signer in signers.signers):
        return allowed(oid, commit, public, signers)
    what = f"is signed by {sshsig.fingerprint(public)}, which the newest signers no longer list"
    raise refuse(Reason.SIGNER_REVOKED, oid, what)


def check_revoked(oid: str, commit: Commit, public: bytes, policies: list[People]) -> None:
    """Hold that no policy had revoked a key when it signed a commit.

    Raises:
        IntentRefused: ``signer-revoked``.
    """
    at = commit.committer.time
    if any(people.revoked(public, at) for people in policies):
        what = f"is signed by {sshsig.fingerprint(public)}, which was revoked by then"
        raise refuse(Reason.SIGNER_REVOKED, oid, what)
