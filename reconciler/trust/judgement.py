"""Who counts: keys that may attest, approvals that cover a step, heartbeats, and who can still act.

Pure: what Git says (trees, lines, relations of commits) is given, and so is the time.

Rule 1: A key attests in namespace ``reconciler-attestation``, at every moment that matters, and not
        at or after the instant from which it is revoked.
Rule 2: What does not count says why, in words that hold nothing an author chose.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from reconciler.evidence.signers import AllowedSigners, Refusal
from reconciler.model.trust_policy import PathRule, TrustPolicy
from reconciler.trust.envelope import NAMESPACE
from reconciler.trust.paths import Owned, Owners
from reconciler.trust.people import Holder, People, may_approve, may_author
from reconciler.trust.statements import Approval

TOLERANCE = timedelta(minutes=5)
"""How far ahead of this machine's clock a statement may be dated."""

POLICY_PATH = "policies/trust/policy.yaml"

_WORDS = {
    Refusal.UNKNOWN_KEY: "its key is not listed",
    Refusal.WRONG_NAMESPACE: "its key may not sign attestations",
    Refusal.EXPIRED: "its key's time had ended",
    Refusal.NOT_YET_VALID: "its key's time had not begun",
    Refusal.OUT_OF_POSITION: "its key is bound to entries of a ledger",
}


@dataclass(frozen=True, slots=True)
class Trust:
    """The trust that a commit leaves behind.

    Attributes:
        signers: Its ``allowed_signers``.
        people: Whom its policy knows.
    """

    signers: AllowedSigners
    people: People


def attestor(
    trust: Trust, public: bytes, moments: Iterable[datetime], revoking: Iterable[People] = ()
) -> Holder | str:
    """Who attests with a key, or why nobody does.

    Args:
        trust: Whose word counts.
        public: The key.
        moments: When it must be allowed: when it was signed, and when it is used.
        revoking: Further policies that may have revoked it.
    """
    times = list(moments)
    for policy in (trust.people, *revoking):
        if policy.revoked(public, max(times)):
            return "its key is revoked"
    principal = ""
    for at in times:
        found = trust.signers.find(public, NAMESPACE, at)
        if isinstance(found, Refusal):
            return _WORDS[found]
        principal = found.principal
    holder = trust.people.of(principal)
    return "its signer is nobody whom the policy knows" if holder is None else holder


@dataclass(frozen=True, slots=True)
class Attested:
    """CI's word.

    Attributes:
        by: Id of the member, or name of the identity.
    """

    by: str


def attested(
    trust: Trust, public: bytes, role: str, signed_at: datetime, now: datetime
) -> Attested | str:
    """Who attests with a key for a role, now as when it was signed; or why nobody does."""
    if signed_at > now + TOLERANCE:
        return "it is dated later than this machine's clock"
    found = attestor(trust, public, (signed_at, max(signed_at, now)))
    if isinstance(found, str):
        return found
    if not found.has((role,)):
        return f"{found.id} has no role {role}"
    return Attested(found.id)


@dataclass(frozen=True, slots=True)
class Occasion:
    """When and for what an approval would be used.

    Attributes:
        branch: The branch that is followed.
        at: Committer time of the commit that a step ends with.
        now: Wall time.
    """

    branch: str
    at: datetime
    now: datetime


def approver(
    trust: Trust,
    approval: Approval,
    public: bytes | None,
    occasion: Occasion,
    revoking: Iterable[People] = (),
) -> Holder | str:
    """The person who approved, or why the approval does not count. Base and tree are Git's."""
    if public is None:
        return "it is not signed with a person's key"
    if approval.branch != occasion.branch:
        return "it is for another branch"
    if approval.issued > occasion.now + TOLERANCE:
        return "it is dated later than this machine's clock"
    if approval.expires is not None and approval.expires < occasion.at:
        return "it had expired"
    found = attestor(trust, public, (approval.issued, occasion.at), revoking)
    if isinstance(found, str):
        return found
    if not _speaks_as(trust, public, approval):
        return "it names another approver than its key's"
    return found if found.person else "it is by a machine"


def _speaks_as(trust: Trust, public: bytes, approval: Approval) -> bool:
    principals = {one.principal for one in trust.signers.signers if one.public == public}
    return principals == {approval.approver}


@dataclass(frozen=True, slots=True)
class Tally:
    """Who agreed with a change.

    Attributes:
        counted: Ids of distinct people.
        passed_over: Why others did not count, each once.
    """

    counted: tuple[str, ...]
    passed_over: tuple[str, ...]


def tally(owned: Owned, authors: Iterable[str], agreed: Iterable[Holder | str]) -> Tally:
    """Count people who may approve a change and did not write it."""
    written = set(authors)
    counted: dict[str, None] = {}
    passed: dict[str, None] = {}
    for one in agreed:
        if isinstance(one, str):
            passed[one] = None
        elif one.id in written:
            passed[f"{one.id} wrote the change"] = None
        elif not may_approve(one, owned):
            passed[f"{one.id} has no role that approves it"] = None
        else:
            counted[one.id] = None
    return Tally(tuple(counted), tuple(passed))


def shut_out(document: TrustPolicy, signers: AllowedSigners) -> str | None:
    """Why a policy could not be lived with, None if it can.

    It must leave somebody who may change it, and enough others to agree; its recovery must have
    enough people; and everybody whom it names must have a key.
    """
    listed = {signer.principal for signer in signers.signers}
    for member in (*document.people, *document.machines):
        if not listed.issuperset(member.principals):
            return f"{member.id} has a principal that allowed_signers does not list"
    people = People(document).persons
    owned = Owners(document).of(POLICY_PATH)
    if owned is None:
        return "no rule owns the policy itself"
    if not _changeable(owned, people):
        return f"too few people could change the policy itself (rule {owned.rule.id})"
    recovery = document.recovery
    if recovery and sum(one.has(recovery.roles) for one in people) < recovery.people:
        return "too few people have a role of its recovery"
    return None


def _changeable(owned: Owned, people: Sequence[Holder]) -> bool:
    approvers = {one.id for one in people if may_approve(one, owned)}
    return any(
        may_author(author, owned) and len(approvers - {author.id}) >= owned.rule.approvals
        for author in people
    )


def roles_of(rule: PathRule) -> str:
    """Who approves a rule's paths, for a message."""
    return " or ".join(rule.approving)
