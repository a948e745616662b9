"""R7: a threshold of people puts another commit in the place of A, whatever lies between.

For a history that was rewritten, a key that was stolen, a trust that must be rooted anew: without a
visit to every clinic, and by nobody alone.

Rule 1: The trust at A decides who may; a recovery names A among what it replaces.
Rule 2: People count, not keys; each key must be allowed when it signed and now.
Rule 3: It works once: the next one must be issued later.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable

from reconciler.desired.refusal import Reason
from reconciler.desired.trust.acceptance import Recovered
from reconciler.desired.trust.case import Case
from reconciler.desired.trust.rulings import Effect
from reconciler.evidence import commit as commits
from reconciler.model.trust_policy import RecoveryRule
from reconciler.trust import statements
from reconciler.trust.judgement import TOLERANCE, Trust, attestor
from reconciler.trust.statements import Recovery, commit_digest

RECOVERY = "R7 recovery"


def find_recovery(case: Case) -> Recovered | None:
    """The newest recovery that may be used, None if there is none; says which are short.

    Raises:
        IntentRefused: ``trust-policy-broken``: the policy at A cannot be read.
        MirrorDamaged: An object is missing.
    """
    start = case.start
    if start is None or start not in case.repository:
        return None
    found = case.files.policy(start, start)
    if found is None or found.document.recovery is None:
        return None
    signed = _offered(case, start)
    if not signed:
        return None
    trust = Trust(case.files.signers(start, start), found.people)
    for recovery in sorted(signed, key=lambda one: one.issued, reverse=True):
        if _fits(case, recovery):
            people = _people(case, trust, found.document.recovery, recovery, signed[recovery])
            if _enough(case, found.document.recovery, recovery.to, people):
                digest = hashlib.sha256(statements.write(recovery)).hexdigest()
                return Recovered(recovery.to, recovery.issued, digest, people, recovery.reason)
    return None


def _enough(case: Case, rule: RecoveryRule, to: str, people: tuple[str, ...]) -> bool:
    counted = ", ".join(people) or "nobody"
    if len(people) >= rule.people:
        words = f"takes the place of {str(case.start)[:12]} by the word of {counted}"
        case.docket.held(RECOVERY, to, words)
        return True
    what = (
        f"would take the place of {str(case.start)[:12]} by the word of {rule.people} people; "
        f"counted: {counted}"
    )
    case.docket.aside(RECOVERY, to, Reason.RECOVERY_SHORT, what, Effect.NOTHING)
    return False


def _offered(case: Case, start: str) -> dict[Recovery, list[bytes]]:
    """Recoveries that name A, each with the keys that signed these bytes."""
    found: dict[Recovery, list[bytes]] = defaultdict(list)
    for signed in case.offer.attestations.recoveries():
        recovery = signed.statement
        if isinstance(recovery, Recovery) and signed.public is not None:
            found[recovery].append(signed.public)
    return {one: keys for one, keys in found.items() if start in one.replaces}


def _fits(case: Case, recovery: Recovery) -> bool:
    """Whether it is new, and about this branch, this head, and a commit with this content."""
    last, to = case.offer.recovered_at, recovery.to
    if recovery.branch != case.offer.branch or recovery.issued > case.offer.now + TOLERANCE:
        return False
    if last is not None and recovery.issued <= last:
        return False
    if to not in case.repository or not case.lineage.reaches(case.head, to):
        return False
    raw = case.objects.read("commit", to, commits.MAX_BYTES) or b""
    return recovery.tree == case.lineage.link(to).tree and recovery.commit_sha256 == commit_digest(
        raw
    )


def _people(
    case: Case, trust: Trust, rule: RecoveryRule, recovery: Recovery, keys: Iterable[bytes]
) -> tuple[str, ...]:
    found = set()
    moments = (recovery.issued, max(case.offer.now, recovery.issued))
    for public in keys:
        holder = attestor(trust, public, moments)
        if not isinstance(holder, str) and holder.person and holder.has(rule.roles):
            found.add(holder.id)
    return tuple(sorted(found))
