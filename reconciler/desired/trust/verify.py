"""Whether a new desired state is trusted: every rule of ``docs/trust.md``, asked of every commit.

Rule 1: What was trusted before decides what is trusted next: rules and keys come from the trees of
        a commit's parents and of what was accepted (A), never from the commit itself.
Rule 2: The order is fixed: recovery, forward, branch, signatures, authors, thresholds, head,
        releases, keys in time. The first rule that does not hold refuses.
Rule 3: Without ``policies/trust/policy.yaml`` every listed signer may change everything (ADR 3).

The rules are in the modules beside this one; here is their order.
"""

from datetime import UTC, datetime
from functools import partial

import pygit2

from reconciler.desired.attestations import Attestations
from reconciler.desired.history import check_forward, new_commits
from reconciler.desired.limits import READ_LIMITS, ReadLimits
from reconciler.desired.trust.acceptance import (
    Acceptance,
    Recovered,
    Standing,
    Suspect,
    VerifiedCommit,
)
from reconciler.desired.trust.authors import examine_authors, examine_steps
from reconciler.desired.trust.case import Case, Offer
from reconciler.desired.trust.head import examine_head
from reconciler.desired.trust.heartbeat import examine_heartbeats
from reconciler.desired.trust.recovery import find_recovery
from reconciler.desired.trust.release import examine_branch, examine_release, needs_ssh
from reconciler.desired.trust.rulings import Docket, Ruling
from reconciler.desired.trust.signatures import (
    FORWARD,
    examine_commits,
    signed_by,
    still_listed,
)
from reconciler.desired.trust.steps import examine_line, line_of
from reconciler.desired.trust.taint import find_suspects, judge_taint
from reconciler.desired.trust.thresholds import examine_thresholds
from reconciler.errors import IntentRefused
from reconciler.evidence import sshsig
from reconciler.evidence.signers import AllowedSigners
from reconciler.trust.heartbeat import Beat, Judged

_NO_TIME = datetime.fromtimestamp(0, UTC)

__all__ = [
    "Acceptance",
    "Standing",
    "VerifiedCommit",
    "explain",
    "reverify",
    "standing",
    "verify_new",
]


def verify_new(
    repository: pygit2.Repository,
    accepted: str | None,
    head: str,
    pinned: AllowedSigners,
    now: datetime,
    limits: ReadLimits = READ_LIMITS,
    *,
    branch: str,
    attestations: Attestations | None = None,
    pin: str | None = None,
    recovered_at: datetime | None = None,
) -> Acceptance:
    """Verify every commit that is new.

    Args:
        repository: Mirror that holds both commits.
        accepted: Hex id of the last accepted commit, None at enrolment.
        head: Hex id of the offered commit.
        pinned: Who is trusted before anything was accepted.
        now: Wall time, timezone-aware.
        limits: How much there may be.
        branch: The branch that is followed.
        attestations: What lies beside the branch; None: nothing.
        pin: Commit that is trusted whole while nothing was accepted.
        recovered_at: ``issued`` of the last recovery that was used.

    Raises:
        IntentRefused: With one of `reconciler.desired.refusal.Reason` and the commit that fails.
        MirrorDamaged: An object is missing.
    """
    beside = attestations or Attestations(repository, None)
    offer = Offer(accepted, head, branch, now, pinned, beside, pin, recovered_at)
    return _judge(Case(repository, offer, limits, Docket(whole=False)))


def explain(
    repository: pygit2.Repository,
    accepted: str | None,
    head: str,
    pinned: AllowedSigners,
    now: datetime,
    limits: ReadLimits = READ_LIMITS,
    *,
    branch: str,
    attestations: Attestations | None = None,
    pin: str | None = None,
    recovered_at: datetime | None = None,
) -> tuple[Ruling, ...]:
    """What every rule says of every new commit: `verify_new` that does not stop.

    A rule that needs what another one did not find out is not asked.

    Raises:
        MirrorDamaged: An object is missing.
    """
    beside = attestations or Attestations(repository, None)
    offer = Offer(accepted, head, branch, now, pinned, beside, pin, recovered_at)
    docket = Docket(whole=True)
    try:
        _judge(Case(repository, offer, limits, docket))
    except IntentRefused as error:
        docket.ended(error)
    return tuple(docket.rulings)


def reverify(
    repository: pygit2.Repository, accepted: str, limits: ReadLimits = READ_LIMITS
) -> VerifiedCommit:
    """Hold what was accepted against the newest signers it brought along.

    Raises:
        IntentRefused: ``signer-revoked``, or what is wrong with its signature or signers file.
        MirrorDamaged: An object is missing.
    """
    return _reverify(_standing_case(repository, accepted, "", _NO_TIME, None, limits))


def standing(
    repository: pygit2.Repository,
    accepted: str,
    limits: ReadLimits = READ_LIMITS,
    *,
    branch: str,
    now: datetime,
    attestations: Attestations | None = None,
    suspects: tuple[Suspect, ...] | None = None,
) -> Standing:
    """Hold what was accepted, and all that is live of it, against the newest trust it brought.

    Args:
        repository: Mirror that holds it.
        accepted: Hex id.
        limits: How much there may be.
        branch: The branch that is followed.
        now: Wall time, timezone-aware.
        attestations: What lies beside the branch; None: nothing.
        suspects: What an earlier look at the same commit found; None: look.

    Raises:
        IntentRefused: As `reverify`, where the branch needs signed commits.
        MirrorDamaged: An object is missing.
    """
    case = _standing_case(repository, accepted, branch, now, attestations, limits)
    signed = _reverify(case) if needs_ssh(case) else None
    found = find_suspects(case, accepted) if suspects is None else suspects
    return Standing(accepted, signed, judge_taint(case, accepted, found), found)


def heartbeat(
    repository: pygit2.Repository,
    trusted: str,
    head: str,
    limits: ReadLimits = READ_LIMITS,
    *,
    branch: str,
    now: datetime,
    attestations: Attestations,
    newest: Beat | None,
) -> Judged:
    """Judge the heartbeats beside a branch.

    Args:
        repository: Mirror that holds both commits.
        trusted: What is accepted; its trust says who may sign.
        head: The commit that the branch is at.
        limits: How much there may be.
        branch: The branch that is followed.
        now: Wall time, timezone-aware.
        attestations: What lies beside the branch.
        newest: The newest heartbeat that was ever seen, None if none was.

    Raises:
        IntentRefused: What is wrong with the trust files of ``trusted``.
        MirrorDamaged: An object is missing.
    """
    case = _standing_case(repository, head, branch, now, attestations, limits)
    return examine_heartbeats(case, trusted, newest)


def _standing_case(
    repository: pygit2.Repository,
    accepted: str,
    branch: str,
    now: datetime,
    attestations: Attestations | None,
    limits: ReadLimits,
) -> Case:
    beside = attestations or Attestations(repository, None)
    nobody = AllowedSigners("pinned", ())
    offer = Offer(accepted, accepted, branch, now, nobody, beside)
    return Case(repository, offer, limits, Docket(whole=False))


def _reverify(case: Case) -> VerifiedCommit:
    oid = case.head
    commit = case.objects.commit(oid)
    public = signed_by(oid, commit)
    signer = still_listed(oid, commit, public, case.files.signers(oid, oid))
    key = sshsig.fingerprint(public)
    return VerifiedCommit(oid, signer.principal, key, commit.committer.time)


def _judge(case: Case) -> Acceptance:
    offer, docket = case.offer, case.docket
    case.objects.commit(offer.head)
    recovery = _recover(case)
    _look_forward(case)
    examine_branch(case)
    ssh = needs_ssh(case)
    examine_commits(case, ssh=ssh)
    if ssh:
        _examine_changes(case)
    if case.new or recovery is not None or offer.accepted is None:
        examine_head(case, offer.head, ssh=ssh)
        examine_release(case)
    tainted = judge_taint(case, offer.head, find_suspects(case, offer.head))
    return Acceptance(
        previous=offer.accepted,
        commit=offer.head,
        tree=case.objects.commit(offer.head).tree,
        commits=tuple(case.verified.values()),
        recovery=recovery,
        tainted=tainted,
        rulings=tuple(docket.rulings),
    )


def _look_forward(case: Case) -> None:
    """Ask R0, and find what is new."""
    start, head = case.start, case.head
    if start is not None and start not in case.repository:
        check_forward(case.repository, start, head)
    elif start is not None:
        forward = partial(check_forward, case.repository, start, head)
        case.docket.ask(FORWARD, head, f"follows from {start[:12]}", forward)
    case.new = new_commits(case.repository, start, head, case.limits)


def _recover(case: Case) -> Recovered | None:
    """Ask R7; a recovery that may be used moves A, once its commit is one that may be accepted."""
    recovery = find_recovery(case)
    if recovery is not None:
        examine_head(case, recovery.to, ssh=needs_ssh(case))
        case.start = recovery.to
    return recovery


def _examine_changes(case: Case) -> None:
    line = line_of(case)
    examine_authors(case)
    examine_line(case, line)
    examine_steps(case, line.steps)
    examine_thresholds(case, line)
