"""R2: whoever signs a commit may change every path that is its own change.

Rule 1: Against each parent that has a policy, by that policy. A commit that grew from one older
        than A is held to the policy at A as well.
Rule 2: Every commit that a step of the first-parent line brings is also held to the trust at the
        step's beginning, its key included. A change of trust needs a threshold on that line alone;
        on a side branch it is one person's word, and must not open a door for what is merged with
        it.
"""

from collections.abc import Iterable

from reconciler.desired.refusal import Reason
from reconciler.desired.trees import shown
from reconciler.desired.trust.case import Case
from reconciler.desired.trust.files import Policy
from reconciler.desired.trust.signatures import check_revoked, grew_from_before, still_listed
from reconciler.desired.trust.steps import Step
from reconciler.desired.trust.thresholds import principal_of
from reconciler.evidence.signers import AllowedSigners
from reconciler.trust.paths import Owned
from reconciler.trust.people import Holder, may_author

AUTHORS = "R2 authors"


def examine_authors(case: Case) -> None:
    """Ask R2 of every new commit, by the policies of its parents and of A.

    Raises:
        IntentRefused: ``path-unowned`` or ``wrong-role``, unless everything is collected.
        MirrorDamaged: An object is missing.
    """
    for oid in case.verified:
        failed = len(case.docket.rulings)
        judged = _by_parents(case, oid)
        if judged and len(case.docket.rulings) == failed:
            case.docket.held(AUTHORS, oid, "changes only what its signer may change")


def examine_steps(case: Case, steps: Iterable[Step]) -> None:
    """Hold every commit that a step brings to the trust at the step's beginning.

    Raises:
        IntentRefused: ``path-unowned``, ``wrong-role``, ``signer-revoked`` or another code of R1,
            unless everything is collected.
        MirrorDamaged: An object is missing.
    """
    for step in steps:
        for oid in reversed(step.brought):
            if oid in case.verified:
                _by_step(case, oid, step.before)


def _by_parents(case: Case, oid: str) -> bool:
    """Whether any policy was asked."""
    parents = case.lineage.link(oid).parents
    asked = False
    for parent, paths in zip(parents, case.own.against_each(oid), strict=False):
        policy = case.files.policy(parent, oid)
        if policy is not None:
            asked = True
            _judge(case, oid, policy, case.files.signers(parent, oid), paths)
    start = case.start
    if start is None or not grew_from_before(case, parents):
        return asked
    policy = case.files.policy(start, oid)
    if policy is None or (len(parents) == 1 and case.files.same(parents[0], start, oid)):
        return asked
    _judge(case, oid, policy, case.files.signers(start, oid), case.own.of(oid))
    return True


def _by_step(case: Case, oid: str, before: str) -> None:
    files = case.files
    policy = files.policy(before, oid)
    parents = case.lineage.link(oid).parents
    if policy is None:
        return
    if parents and all(files.same(parent, before, oid) for parent in parents):
        return
    commit, public = case.objects.commit(oid), case.keys[oid]
    signers = files.signers(before, oid)

    def key_counts() -> bool:
        still_listed(oid, commit, public, signers)
        check_revoked(oid, commit, public, [policy.people])
        return True

    if case.docket.ask(AUTHORS, oid, "", key_counts):
        _judge(case, oid, policy, signers, case.own.of(oid))


def _judge(
    case: Case, oid: str, policy: Policy, signers: AllowedSigners, paths: Iterable[str]
) -> None:
    holder = policy.people.of(principal_of(signers, case.keys[oid]))
    unowned: dict[str, str] = {}
    wrong: dict[str, tuple[str, Owned]] = {}
    for path in paths:
        owned = policy.owners.of(path)
        if owned is None:
            unowned.setdefault("", path)
        elif holder is None or not may_author(holder, owned):
            wrong.setdefault(owned.rule.id, (path, owned))
    for path in unowned.values():
        case.docket.fail(AUTHORS, oid, Reason.PATH_UNOWNED, _unowned(path), path)
    for owner, (path, owned) in wrong.items():
        what = _wrong_role(path, owned, holder)
        case.docket.fail(AUTHORS, oid, Reason.WRONG_ROLE, what, path, owner)
    if holder is None and not wrong:
        what = "is signed by a key whom the trust policy does not know"
        case.docket.fail(AUTHORS, oid, Reason.WRONG_ROLE, what)


def _unowned(path: str) -> str:
    return f"changes {shown(path)}, which no rule of the trust policy owns"


def _wrong_role(path: str, owned: Owned, holder: Holder | None) -> str:
    roles = " or ".join(owned.rule.authors)
    served = "" if owned.client is None else f" for client {shown(owned.client)}"
    who = "whom the trust policy does not know" if holder is None else f"which is {holder.id}'s"
    return f"changes {shown(path)} (rule {owned.rule.id}: {roles}{served}), signed by a key {who}"
