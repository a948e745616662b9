"""R6: the branch is one that may be followed, and CI vouched for its head where it must.

Rule 1: The policy at A decides; at a first acceptance without a pin, the head's own, which then
        cannot do without signed commits: it would be vouched for by itself.
Rule 2: A release names branch, commit, tree and every file that is read; by SHA-256 too.
"""

from functools import partial

from reconciler.desired.attestations import Attestations, Signed
from reconciler.desired.refusal import Reason
from reconciler.desired.tree import FleetTree
from reconciler.desired.trust.case import Case
from reconciler.desired.trust.files import Policy
from reconciler.desired.trust.keyless import attested_by, with_identities
from reconciler.errors import IntentRefused
from reconciler.evidence import commit as commits
from reconciler.model.trust_policy import BranchRule
from reconciler.trust.judgement import Attested, Trust
from reconciler.trust.statements import Release, commit_digest, files_digest

BRANCHES = "R6 branches"
_ROLE = "release"


def needs_ssh(case: Case) -> bool:
    """Whether R1 to R3 are asked.

    Raises:
        IntentRefused: ``trust-policy-broken``: the policy at A cannot be read.
        MirrorDamaged: An object is missing.
    """
    if case.start is None:
        return True
    rule = _branch_rule(case, case.policy_at_start(case.head))
    return rule is None or "ssh" in rule.require


def examine_branch(case: Case) -> None:
    """Ask whether the branch may be followed at all.

    Raises:
        IntentRefused: ``branch-untrusted``, unless everything is collected.
        MirrorDamaged: An object is missing.
    """
    policy = case.docket.ask(BRANCHES, case.head, "", partial(_authority, case))
    if policy is None or not policy.document.branches:
        return
    rule = _branch_rule(case, policy)
    if rule is None:
        what = f"is offered on branch {case.offer.branch}, which the trust policy does not list"
        case.docket.fail(BRANCHES, case.head, Reason.BRANCH_UNTRUSTED, what)
        return
    words = f"is on a branch that the trust policy lists; it needs {' and '.join(rule.require)}"
    case.docket.held(BRANCHES, case.head, words)


def examine_release(case: Case) -> None:
    """Ask whether CI vouches for the head, where the branch needs it.

    Raises:
        IntentRefused: ``release-missing`` or ``release-refused``, unless everything is collected.
        MirrorDamaged: An object is missing.
    """
    try:
        policy = _authority(case)
    except IntentRefused:
        # Noted by `examine_branch` and by R5 already.
        return
    rule = _branch_rule(case, policy)
    if policy is not None and rule is not None and _ROLE in rule.require:
        _examine_release(case, policy, case.start or case.head)


def _authority(case: Case) -> Policy | None:
    return case.files.policy(case.start or case.head, case.head)


def _branch_rule(case: Case, policy: Policy | None) -> BranchRule | None:
    rules = () if policy is None else policy.document.branches
    return next((rule for rule in rules if rule.name == case.offer.branch), None)


def _examine_release(case: Case, policy: Policy, source: str) -> None:
    head, docket = case.head, case.docket
    attestations = with_identities(case, policy, source, _ROLE)
    releases = attestations.releases(head)
    trust = Trust(case.files.signers(source, head), policy.people)
    wrong: list[str] = []
    named = _named(case) if releases else None
    for signed in releases:
        found = _vouches(case, trust, signed, named)
        if isinstance(found, Attested):
            docket.held(BRANCHES, head, f"has a release by {found.by}")
            return
        wrong.append(found)
    wrong += _unread(attestations, head)
    if wrong:
        reasons = "; ".join(dict.fromkeys(wrong))
        what = f"has only releases that do not count: {reasons}"
        docket.fail(BRANCHES, head, Reason.RELEASE_REFUSED, what)
    else:
        docket.fail(BRANCHES, head, Reason.RELEASE_MISSING, "has no release by CI")


def _unread(attestations: Attestations, head: str) -> list[str]:
    return [why for path, why in attestations.unread if path.startswith(f"releases/{head}")]


def _vouches(
    case: Case, trust: Trust, signed: Signed, named: tuple[str, ...] | None
) -> Attested | str:
    """Who vouches for the head, or why this release does not count."""
    one = signed.statement
    if not isinstance(one, Release) or named != (
        one.branch,
        one.commit,
        one.commit_sha256,
        one.tree,
        one.files_sha256,
    ):
        return "it names another branch, commit, tree or other files"
    return attested_by(signed, trust, _ROLE, one.time, case.offer.now)


def _named(case: Case) -> tuple[str, ...]:
    """What a release of the head must name."""
    raw = case.objects.read("commit", case.head, commits.MAX_BYTES) or b""
    tree = FleetTree(case.objects, case.head, case.limits, case.trees)
    files = files_digest(tree.files())
    return case.offer.branch, case.head, commit_digest(raw), tree.oid, files
