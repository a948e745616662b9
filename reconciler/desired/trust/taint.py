"""R8: what a stolen key wrote after it was revoked is not acted on, although history goes on.

A revocation often comes after the fact: effective from the theft, committed days later, when what
the thief pushed was accepted already. That history cannot be refused any more; what is live of it
is *tainted* until somebody writes it anew, or enough others have looked at it and approve.

Rule 1: Tainted is content of the head, same object at the same path, that was an own change of a
        commit signed with a key at or after the instant from which the head's policy revokes it.
Rule 2: It is cleared by one person more than its rule asks for, none of them the key's owner, who
        approved after that instant a tree of the line, at or after the commit, that holds it, and
        knew: the base of the approval is a commit of the line that revokes the key. Who agrees with
        the revocation itself has not said that all else is well.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime

from reconciler.desired.refusal import Reason
from reconciler.desired.tree import FleetTree
from reconciler.desired.trees import Leaf, shown
from reconciler.desired.trust.acceptance import Suspect, Tainted
from reconciler.desired.trust.case import Case
from reconciler.desired.trust.files import Policy
from reconciler.desired.trust.rulings import Effect
from reconciler.desired.trust.signatures import signed_by
from reconciler.errors import EvidenceError, IntentRefused
from reconciler.evidence import sshsig, sshsig_sk
from reconciler.trust.judgement import Occasion, Trust, approver, tally
from reconciler.trust.people import Holder
from reconciler.trust.statements import Approval

KEYS_IN_TIME = "R8 keys in time"

# In an SSHSIG the key follows magic, version and its own length.
_KEY_AT = 14


def find_suspects(case: Case, oid: str) -> tuple[Suspect, ...]:
    """Live content of a commit that a revoked key wrote; the same for as long as it is the head.

    Raises:
        IntentRefused: What is wrong with the commit's own trust files or tree.
        MirrorDamaged: An object is missing.
    """
    policy = case.files.policy(oid, oid)
    since = None if policy is None else policy.people.first_effective()
    if policy is None or since is None:
        return ()
    recent = _recent(case, oid, int(since.timestamp()))
    guilty = dict(_guilty(case, policy, recent))
    return tuple(_live(case, oid, recent, policy, guilty)) if guilty else ()


def judge_taint(case: Case, oid: str, suspects: Iterable[Suspect]) -> tuple[Tainted, ...]:
    """Which suspects nobody has cleared; each is a ruling that holds actions back.

    Raises:
        IntentRefused: What is wrong with the commit's own trust files or tree.
        MirrorDamaged: An object is missing.
    """
    policy = case.files.policy(oid, oid)
    if policy is None:
        return ()
    found = []
    for one in suspects:
        if not _cleared(case, oid, policy, one):
            key = sshsig.fingerprint(one.public)
            found.append(Tainted(shown(one.path), one.commit, key))
            what = f"brought {shown(one.path)}, signed by {key} after it was revoked"
            case.docket.aside(
                KEYS_IN_TIME, one.commit, Reason.REVOKED_CONTENT, what, Effect.HOLDS_BACK
            )
    if not found and policy.document.revoked:
        case.docket.held(KEYS_IN_TIME, oid, "holds nothing that a revoked key wrote")
    return tuple(found)


def _recent(case: Case, oid: str, since: int) -> set[str]:
    """Commits of a history that are not older than an instant; times only move forward."""
    found: set[str] = set()
    pending = [oid]
    while pending:
        at = pending.pop()
        if at in found or case.lineage.link(at).seconds < since:
            continue
        found.add(at)
        pending += case.lineage.link(at).parents
    return found


def _guilty(case: Case, policy: Policy, recent: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """Commits that a revoked key signed, with the key."""
    for oid in recent:
        try:
            commit = case.objects.commit(oid)
            if commit.armor is None or not _may_be_revoked(policy, commit.armor):
                continue
            public = signed_by(oid, commit)
        except IntentRefused:
            # Below a pin, or on a branch that needs no signed commits, there may be one whose form
            # or signature would be refused; nobody's key has signed it.
            continue
        if policy.people.revoked(public, commit.committer.time):
            yield oid, public


def _may_be_revoked(policy: Policy, armor: str) -> bool:
    """Whether the key that a signature names is revoked, before the signature is checked."""
    try:
        blob = sshsig.blob_of(armor)
    except EvidenceError:
        return False
    key = blob[_KEY_AT : _KEY_AT + int.from_bytes(blob[_KEY_AT - 4 : _KEY_AT], "big")]
    return policy.people.effective(key if sshsig_sk.is_sk(key) else key[-32:]) is not None


def _live(
    case: Case, oid: str, recent: set[str], policy: Policy, guilty: Mapping[str, bytes]
) -> Iterator[Suspect]:
    head = case.lineage.link(oid).tree
    line, _ = case.lineage.line(oid, recent)
    brought = case.lineage.steps(line[::-1], recent)
    since = {commit: at for at, tip in enumerate(line) for commit in brought[tip]}
    for commit, public in sorted(guilty.items()):
        effective = policy.people.effective(public)
        its = case.lineage.link(commit).tree
        for path in _changed(case, oid, commit):
            leaf = case.trees.leaf(head, path, oid)
            if leaf is None or effective is None or not _wrote(case, its, path, leaf, oid):
                continue
            trees = (case.lineage.link(tip).tree for tip in line[: since[commit] + 1])
            holding = dict.fromkeys(tree for tree in trees if _holds(case, tree, path, leaf, oid))
            yield Suspect(path, leaf, commit, public, effective, tuple(holding))


def _changed(case: Case, oid: str, commit: str) -> Iterable[str]:
    """What a commit changed; all that is read of the head, if its trees cannot be compared."""
    try:
        return case.own.of(commit)
    except IntentRefused:
        return FleetTree(case.objects, oid, case.limits, case.trees).listing()


def _wrote(case: Case, tree: str, path: str, leaf: Leaf, oid: str) -> bool:
    """Whether a tree has the same content at a path; one that cannot be read may have."""
    try:
        found = case.trees.leaf(tree, path, oid)
    except IntentRefused:
        return True
    return found is not None and found[1] == leaf[1]


def _holds(case: Case, tree: str, path: str, leaf: Leaf, oid: str) -> bool:
    """Whether who read a tree has seen a leaf in it; one that cannot be read shows nothing."""
    with suppress(IntentRefused):
        return case.trees.leaf(tree, path, oid) == leaf
    return False


def _cleared(case: Case, oid: str, policy: Policy, suspect: Suspect) -> bool:
    owned = policy.owners.of(suspect.path)
    if owned is None:
        return False
    trust = Trust(case.files.signers(oid, oid), policy.people)
    now = case.offer.now
    knowing = _knowing(case, oid, suspect)
    agreed: list[Holder | str] = []
    for tree in suspect.trees:
        for signed in case.offer.attestations.approvals(tree):
            approval = signed.statement
            if isinstance(approval, Approval) and _counts(approval, suspect, knowing, now):
                occasion = Occasion(case.offer.branch, approval.issued, now)
                found = approver(trust, approval, signed.public, occasion)
                # Whoever stole a key since can date an approval back.
                if signed.public is not None and policy.people.revoked(signed.public, now):
                    found = "its key is revoked"
                agreed.append(found)
    counted = tally(owned, _owner(case, policy, suspect, trust), agreed).counted
    return len(counted) > owned.rule.approvals


def _counts(approval: Approval, suspect: Suspect, knowing: set[str], now: datetime) -> bool:
    current = approval.expires is None or approval.expires >= now
    return current and approval.issued > suspect.effective and approval.base in knowing


def _knowing(case: Case, oid: str, suspect: Suspect) -> set[str]:
    """Commits of the line that revoke the key, back to where one does not."""
    found: set[str] = set()
    at: str | None = oid
    while at is not None and _revokes(case, at, suspect.public):
        found.add(at)
        parents = case.lineage.link(at).parents
        at = parents[0] if parents else None
    return found


def _revokes(case: Case, commit: str, public: bytes) -> bool:
    try:
        policy = case.files.policy(commit, commit)
    except IntentRefused:
        return False
    return policy is not None and policy.people.effective(public) is not None


def _owner(case: Case, policy: Policy, suspect: Suspect, trust: Trust) -> set[str]:
    """The person whose key it was, by the newest signers and by those that its commit knew."""
    files = [trust.signers]
    for parent in case.lineage.link(suspect.commit).parents:
        # Below a pin there may be files that do not read; they name nobody.
        with suppress(IntentRefused):
            files.append(case.files.signers(parent, parent))
    principals = {
        one.principal
        for signers in files
        for one in signers.signers
        if one.public == suspect.public
    }
    holders = (policy.people.of(principal) for principal in principals)
    return {holder.id for holder in holders if holder is not None}
