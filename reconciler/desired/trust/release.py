"""R6: the branch is one that may be followed, and CI vouched for its head where it must.

Rule 1: The policy at A decides; at a first acceptance without a pin, the head's own, which then
        cannot do without signed commits: it would be vouched for by itself.
Rule 2: A release names branch, commit, tree and every file that is read; by SHA-256 too.
"""

from dataclasses import dataclass
from functools import partial

from reconciler.desired.attestations import Attestations, Signed
from reconciler.desired.refusal import Reason
from reconciler.desired.tree import FleetTree
from reconciler.desired.trust.case import Case
from reconciler.desired.trust.files import Policy
from reconciler.desired.trust.keyless import attested_by, with_identities
from reconciler.errors import IntentRefused
from reconciler.evidence import commit as commits
from reconciler.evidence.sshsig import fingerprint
from reconciler.model.trust_policy import BranchRule
from reconciler.trust.judgement import Trust
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
    found = Bench(case, policy, source).judge(head)
    if found.counting:
        docket.held(BRANCHES, head, f"has a release by {found.counting[0].by}")
    elif found.wrong:
        reasons = "; ".join(dict.fromkeys(found.wrong))
        what = f"has only releases that do not count: {reasons}"
        docket.fail(BRANCHES, head, Reason.RELEASE_REFUSED, what)
    else:
        docket.fail(BRANCHES, head, Reason.RELEASE_MISSING, "has no release by CI")


@dataclass(frozen=True, slots=True)
class Counting:
    """A release that counts.

    Attributes:
        release: What it says.
        by: Id of the member, or name of the identity, that signed it.
        key: Fingerprint of the key; None of an identity without one.
    """

    release: Release
    by: str
    key: str | None


@dataclass(frozen=True, slots=True)
class Judged:
    """The releases of one commit.

    Attributes:
        counting: Those that count.
        wrong: Why others do not.
    """

    counting: tuple[Counting, ...]
    wrong: tuple[str, ...]


class Bench:
    """Judges releases by the trust of one commit: those of a head, and those of its line."""

    def __init__(self, case: Case, policy: Policy, source: str) -> None:
        """Nothing is read yet.

        Args:
            case: Names branch, time and attestations.
            policy: Who has the role.
            source: The commit whose tree holds the policy and the signers.
        """
        self._case = case
        self._attestations = with_identities(case, policy, source, _ROLE)
        self._trust = Trust(case.files.signers(source, case.head), policy.people)

    def judge(self, commit: str) -> Judged:
        """Judge every release of a commit.

        Raises:
            IntentRefused: What is wrong with the commit's tree.
            MirrorDamaged: An object is missing.
        """
        releases = self._attestations.releases(commit)
        named = _named(self._case, commit) if releases else None
        counting: list[Counting] = []
        wrong: list[str] = []
        for signed in releases:
            found = self._vouches(signed, named)
            if isinstance(found, Counting):
                counting.append(found)
            else:
                wrong.append(found)
        return Judged(tuple(counting), (*wrong, *_unread(self._attestations, commit)))

    def _vouches(self, signed: Signed, named: tuple[str, ...] | None) -> Counting | str:
        """Who vouches for the commit, or why this release does not count."""
        one = signed.statement
        if not isinstance(one, Release) or named != (
            one.branch,
            one.commit,
            one.commit_sha256,
            one.tree,
            one.files_sha256,
        ):
            return "it names another branch, commit, tree or other files"
        found = attested_by(signed, self._trust, _ROLE, one.time, self._case.offer.now)
        if isinstance(found, str):
            return found
        return Counting(
            one, found.by, None if signed.public is None else fingerprint(signed.public)
        )


def _unread(attestations: Attestations, commit: str) -> list[str]:
    return [why for path, why in attestations.unread if path.startswith(f"releases/{commit}")]


def _named(case: Case, commit: str) -> tuple[str, ...]:
    """What a release of a commit must name."""
    raw = case.objects.read("commit", commit, commits.MAX_BYTES) or b""
    tree = FleetTree(case.objects, commit, case.limits, case.trees)
    files = files_digest(tree.files())
    return case.offer.branch, commit, commit_digest(raw), tree.oid, files
