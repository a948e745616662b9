"""The heartbeats beside a branch, held against what the mirror has and the trust in force.

Who may sign them, and what they mean for the head, is decided in `reconciler.trust.heartbeat`.
"""

import hashlib
from datetime import datetime

import pygit2

from reconciler.desired.attestations import Attestations, Signed
from reconciler.desired.objects import MirrorDamaged
from reconciler.desired.trust.case import Case
from reconciler.desired.trust.keyless import attested_by, with_identities
from reconciler.errors import IntentRefused
from reconciler.evidence import commit as commits
from reconciler.trust import statements
from reconciler.trust.heartbeat import (
    MISSING,
    REFUSED,
    Beat,
    Judged,
    Objection,
    Offered,
    Relation,
    judge_heartbeat,
)
from reconciler.trust.judgement import Attested, Trust
from reconciler.trust.statements import Heartbeat

_ROLE = "heartbeat"


def examine_heartbeats(case: Case, trusted: str, newest: Beat | None) -> Judged:
    """Judge what is on offer for the head of a case.

    Args:
        case: Names head, branch, time and attestations.
        trusted: The commit whose tree says who may sign heartbeats: what is accepted.
        newest: The newest heartbeat that was ever seen.

    Raises:
        IntentRefused: ``trust-policy-broken`` or ``signers-missing``: at ``trusted``.
        MirrorDamaged: An object of ``trusted`` is missing.
    """
    branch, now = case.offer.branch, case.offer.now
    known = case.trust_at(trusted, trusted)
    if known is None:
        return Judged(None, _nobody(case.offer.attestations, branch))
    policy, trust = known
    beside = with_identities(case, policy, trusted, _ROLE)
    offered = [
        _offered(case, signed, signed.statement, trust, now)
        for signed in beside.heartbeats(branch)
        if isinstance(signed.statement, Heartbeat)
    ]
    judged = judge_heartbeat(offered, branch=branch, now=now, newest=newest)
    unread = _unread(beside, branch)
    if judged.objection is not None and judged.objection.code == MISSING and unread:
        return Judged(None, Objection(REFUSED, f"does not count: {unread}"))
    return judged


def _nobody(beside: Attestations, branch: str) -> Objection:
    if beside.heartbeats(branch) or _unread(beside, branch):
        return Objection(REFUSED, "does not count: there is no trust policy to say who signs it")
    return Objection(MISSING, "is missing, and there is no trust policy to say who signs it")


def _unread(beside: Attestations, branch: str) -> str:
    folder = f"heartbeats/{branch}/"
    return "; ".join(why for path, why in beside.unread if path.startswith(folder))


def _offered(
    case: Case, signed: Signed, heartbeat: Heartbeat, trust: Trust, now: datetime
) -> Offered:
    who = attested_by(signed, trust, _ROLE, heartbeat.time, now)
    return Offered(
        heartbeat=heartbeat,
        digest=hashlib.sha256(statements.write(heartbeat)).hexdigest(),
        signer=who.by if isinstance(who, Attested) else who,
        signer_holds=isinstance(who, Attested),
        commit_sha256=_sha256(case, heartbeat.commit),
        relation=_relation(case.repository, heartbeat.commit, case.head),
    )


def _sha256(case: Case, oid: str) -> str | None:
    try:
        raw = case.objects.read("commit", oid, commits.MAX_BYTES)
    except (IntentRefused, MirrorDamaged):
        return None
    return None if raw is None else statements.commit_digest(raw)


def _relation(repository: pygit2.Repository, commit: str, head: str) -> Relation:
    if commit == head:
        return Relation.HEAD
    try:
        if commit not in repository:
            return Relation.UNKNOWN
        if repository.descendant_of(head, commit):
            return Relation.BEFORE
        return Relation.AFTER if repository.descendant_of(commit, head) else Relation.ASIDE
    except (pygit2.GitError, KeyError, ValueError):
        return Relation.UNKNOWN
