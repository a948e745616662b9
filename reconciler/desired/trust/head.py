"""R5: the head leaves a trust behind with which history can go on.

Rule 1: At enrolment, when nothing was accepted and nothing is pinned, the head must be signed by a
        pinned signer whose window is open now: a key that ended can date a history back, and there
        is no accepted commit yet to hold it against.
Rule 2: The head's signers still list who signed the head.
Rule 3: Every path that an appliance reads is a plain file with a plain name.
Rule 4: Its trust policy can be lived with, and is not missing where A had one.
"""

from functools import partial

from reconciler.desired.refusal import Reason, refuse
from reconciler.desired.tree import FleetTree
from reconciler.desired.trust.case import Case
from reconciler.desired.trust.signatures import allowed, signed_by, still_listed
from reconciler.trust.judgement import shut_out

HEAD = "R5 head"


def examine_head(case: Case, oid: str, *, ssh: bool) -> None:
    """Ask R5 of a commit that may take the place of A.

    Raises:
        IntentRefused: The first that fails, unless everything is collected.
        MirrorDamaged: An object is missing.
    """
    ask = case.docket.ask
    if ssh:
        ask(HEAD, oid, "is signed by somebody whom its signers list", partial(_signer, case, oid))
    ask(HEAD, oid, "has plain files only", partial(_listing, case, oid))
    ask(HEAD, oid, "", partial(_policy, case, oid))


def _signer(case: Case, oid: str) -> None:
    commit = case.objects.commit(oid)
    public = signed_by(oid, commit)
    if case.start is None:
        allowed(oid, commit, public, case.offer.pinned)
        allowed(oid, commit, public, case.offer.pinned, case.offer.now)
    still_listed(oid, commit, public, case.files.signers(oid, oid))


def _listing(case: Case, oid: str) -> None:
    FleetTree(case.objects, oid, case.limits, case.trees).listing()


def _policy(case: Case, oid: str) -> None:
    policy = case.files.policy(oid, oid)
    if policy is None:
        if case.policy_at_start(oid) is not None:
            what = "has no policies/trust/policy.yaml, and what was accepted has one"
            raise refuse(Reason.TRUST_POLICY_DROPPED, oid, what)
        words = "has no trust policy: every listed signer may change everything"
        case.docket.held(HEAD, oid, words)
        return
    wrong = shut_out(policy.document, case.files.signers(oid, oid))
    if wrong is not None:
        what = f"has a trust policy that could not be lived with: {wrong}"
        raise refuse(Reason.TRUST_POLICY_BROKEN, oid, what)
    case.docket.held(HEAD, oid, "has a trust policy that can be lived with")
