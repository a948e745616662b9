"""What is live and was written by a revoked key (R8), found slowly: the whole history is read."""

from datetime import datetime

from tests.support.reference_documents import Attested, Policy, fingerprint, principal_of
from tests.support.reference_trust import Decision, Question, Refused

SPACE = "reconciler-attestation"


def tainted(question: Question) -> set[str]:
    """Paths of the head that nothing may act on; none where its trust files do not read."""
    try:
        return _tainted(question)
    except Refused:
        return set()


def _tainted(question: Question) -> set[str]:
    thought = Decision(question)
    head = question.head
    policy = thought.policy(head)
    if policy is None:
        return set()
    live, found = thought.history.files(head), set()
    for oid in thought.history.reach(head):
        commit = thought.commits[oid]
        try:
            key = thought.key(commit)
        except Refused:
            continue
        if not policy.is_revoked(key, commit.time):
            continue
        files = thought.history.files(oid)
        for path in thought.all_own_changes(commit):
            same = path in live and path in files and live[path][1] == files[path][1]
            if same and not _cleared(thought, policy, path, oid, key):
                found.add(path)
    return found


def _cleared(thought: Decision, policy: Policy, path: str, oid: str, key: bytes) -> bool:
    owned = policy.owner(path)
    if owned is None:
        return False
    rule, client = owned
    head, history = thought.q.head, thought.history
    entry = history.files(head)[path]
    after = [c for c in history.line(head) if oid in history.reach(c)]
    holding = [c for c in after if history.files(c).get(path) == entry]
    trees = {thought.commits[c].tree for c in holding}
    effective = policy.revoked[fingerprint(key)]
    knowing = _knowing(thought, key)
    people = {
        member.id
        for approval in thought.attested("approvals", "fleet-approval")
        if approval.predicate["tree"] in trees
        and approval.predicate["base"] in knowing
        and _current(approval, effective, thought.q)
        and (member := _person(thought, policy, approval)) is not None
        and member.may(rule.approvers, client)
    }
    return len(people - _owners(thought, policy, oid, key)) > rule.approvals


def _knowing(thought: Decision, key: bytes) -> set[str]:
    """Commits of the line from the head down to where the key was not revoked yet."""
    found: set[str] = set()
    for commit in reversed(thought.history.line(thought.q.head)):
        try:
            policy = thought.policy(commit)
        except Refused:
            break
        if policy is None or fingerprint(key) not in policy.revoked:
            break
        found.add(commit)
    return found


def _current(approval: Attested, effective: datetime, question: Question) -> bool:
    expires = approval.predicate["expires"]
    return (
        approval.predicate["branch"] == question.branch
        and approval.time("issued") > effective
        and approval.time("issued") <= question.now
        and (expires is None or approval.time("expires") >= question.now)
    )


def _person(thought: Decision, policy: Policy, approval: Attested):  # type: ignore[no-untyped-def]
    issued = approval.time("issued")
    if policy.is_revoked(approval.key, issued, thought.q.now):
        return None
    lines = thought.signers(thought.q.head, thought.q.head)
    principal, _ = principal_of(lines, approval.key, SPACE, issued)
    if principal is None or principal != approval.predicate["approver"]:
        return None
    member = policy.member(approval.predicate["approver"])
    return member if member and member.person else None


def _owners(thought: Decision, policy: Policy, oid: str, key: bytes) -> set[str]:
    """Whose key it was: by the newest signers, and by those that its commit knew."""
    names = set()
    for commit in (thought.q.head, *thought.commits[oid].parents):
        try:
            names |= {one.principal for one in thought.signers(commit, commit) if one.key == key}
        except Refused:
            # A commit from before the pin, which nobody verified, names nobody.
            continue
    return {member.id for name in names if (member := policy.member(name))}
