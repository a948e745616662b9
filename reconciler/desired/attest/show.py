"""What lies on the attestations branch about one commit, and whether each would count now.

A person looks before they ask why an appliance waits; the appliance itself asks
`reconciler.desired.trust.verify`, which also knows what it had accepted.
"""

from dataclasses import dataclass

from reconciler.desired.attest.clone import AttestClone
from reconciler.desired.attestations import Signed
from reconciler.desired.trust.case import Case
from reconciler.desired.trust.files import Policy
from reconciler.desired.trust.keyless import attested_by, with_identities
from reconciler.trust.judgement import Attested, Occasion, Trust, approver, attested, attestor
from reconciler.trust.people import Holder
from reconciler.trust.statements import Approval, Heartbeat, Recovery, Release

_NO_POLICY = "there is no trust policy to say who counts"


@dataclass(frozen=True, slots=True)
class Shown:
    """One file.

    Attributes:
        file: Path on the branch.
        signed: What it holds.
        who: Id of whom it counts for; None if it does not count.
        why: Why not; empty if it counts.
    """

    file: str
    signed: Signed
    who: str | None
    why: str


def look(clone: AttestClone, case: Case) -> tuple[tuple[Shown, ...], dict[str, str]]:
    """Everything about the head of a case: its tree, itself, its branch, and what leads to it.

    Args:
        clone: Where the commits are.
        case: Head, branch, time and attestations; trust is that of the head.

    Returns:
        What can be read, and why other files cannot, by path.

    Raises:
        IntentRefused: The trust files of the head, or of a base, cannot be read.
    """
    beside = case.offer.attestations
    found = [
        _shown(signed, _approval(case, signed.statement, signed.public))
        for signed in beside.approvals(case.lineage.link(case.head).tree)
        if isinstance(signed.statement, Approval)
    ]
    attested, unread = _attested(clone, case)
    found += attested
    found += [
        _shown(signed, _recovery(clone, case, signed.statement, signed.public))
        for signed in beside.recoveries()
        if isinstance(signed.statement, Recovery) and signed.statement.branch == case.offer.branch
    ]
    return tuple(found), unread | dict(beside.unread)


def why_not(case: Case, public: bytes, role: str) -> str:
    """Why what a key signs of the head of a case now would not count; empty if it would.

    Args:
        case: Head, branch and time; trust is that of the head.
        public: The key.
        role: ``release`` or ``heartbeat``.

    Raises:
        IntentRefused: The trust files of the head cannot be read.
    """
    known, now = _trust(case, case.head), case.offer.now
    if isinstance(known, str):
        return known
    found = attested(known[1], public, role, now, now)
    return found if isinstance(found, str) else ""


def _shown(signed: Signed, found: Holder | Attested | str) -> Shown:
    if isinstance(found, str):
        return Shown(signed.file, signed, None, found)
    who = found.by if isinstance(found, Attested) else found.id
    return Shown(signed.file, signed, who, "")


def _approval(case: Case, approval: Approval, public: bytes | None) -> Holder | str:
    known = _trust(case, approval.base)
    if isinstance(known, str):
        return known
    now = case.offer.now
    return approver(known[1], approval, public, Occasion(case.offer.branch, now, now))


def _attested(clone: AttestClone, case: Case) -> tuple[list[Shown], dict[str, str]]:
    """Releases and heartbeats; bundles are only read where the policy says by whom they are."""
    known = _trust(case, case.head)
    releases = beats = case.offer.attestations
    if not isinstance(known, str):
        releases = with_identities(case, known[0], case.head, "release")
        beats = with_identities(case, known[0], case.head, "heartbeat")
    found = (*releases.releases(case.head), *beats.heartbeats(case.offer.branch))
    shown = [
        _shown(signed, known if isinstance(known, str) else _by(clone, case, known[1], signed))
        for signed in found
    ]
    return shown, dict((*releases.unread, *beats.unread))


def _by(clone: AttestClone, case: Case, trust: Trust, signed: Signed) -> Attested | str:
    one, now, head = signed.statement, case.offer.now, case.head
    match one:
        case Release():
            named = (one.branch, one.commit_sha256, one.tree, one.files_sha256)
            real = (
                case.offer.branch,
                clone.digest(head),
                clone.tree(head),
                clone.files_digest(head),
            )
            if named != real:
                return "it names another branch, tree or other files"
            return attested_by(signed, trust, "release", one.time, now)
        case Heartbeat():
            if one.commit in clone.repository and clone.digest(one.commit) != one.commit_sha256:
                return "it names a commit with other content"
            return attested_by(signed, trust, "heartbeat", one.time, now)
        case _:
            return "it is something else"


def _recovery(
    clone: AttestClone, case: Case, recovery: Recovery, public: bytes | None
) -> Holder | str:
    known = _trust(case, recovery.replaces[0])
    if isinstance(known, str):
        return known
    policy, trust = known
    rule = policy.document.recovery
    if rule is None:
        return "the trust policy that it replaces knows no recovery"
    if recovery.to not in clone.repository or clone.digest(recovery.to) != recovery.commit_sha256:
        return "it leads to a commit that is not here, or has other content"
    now = case.offer.now
    holder = attestor(trust, public or b"", (recovery.issued, max(now, recovery.issued)))
    if isinstance(holder, str):
        return holder
    allowed = holder.person and holder.has(rule.roles)
    return holder if allowed else f"{holder.id} has no role of the recovery"


def _trust(case: Case, commit: str | None) -> tuple[Policy, Trust] | str:
    """The trust that a commit leaves behind, or why there is none."""
    if commit is None or commit not in case.repository:
        return "it names a commit that is not here"
    return case.trust_at(commit, commit) or _NO_POLICY
