"""The number of the next heartbeat: one more than of those that were signed by who may.

Anybody who may push could put a heartbeat with the last number there is on the branch. If CI
counted on from that, there would be no next one, ever.
"""

from reconciler.desired.trust.case import Case
from reconciler.desired.trust.keyless import attested_by, with_identities
from reconciler.trust.judgement import Attested
from reconciler.trust.statements import Heartbeat

_ROLE = "heartbeat"


def next_counter(case: Case) -> tuple[int, tuple[tuple[str, str], ...]]:
    """The next number, and which heartbeats were not counted, and why.

    Args:
        case: Branch and attestations; its head says who may sign heartbeats. A key that has ended
            since then counts for what it signed before.

    Raises:
        IntentRefused: The trust files of the head cannot be read.
    """
    branch = case.offer.branch
    known = case.trust_at(case.head, case.head)
    if known is None:
        found = case.offer.attestations.heartbeats(branch)
        return 1, tuple((signed.file, "there is no trust policy") for signed in found)
    policy, trust = known
    beside = with_identities(case, policy, case.head, _ROLE)
    highest, passed_over = 0, []
    for signed in beside.heartbeats(branch):
        if not isinstance(signed.statement, Heartbeat):
            continue
        when = signed.statement.time
        who = attested_by(signed, trust, _ROLE, when, when)
        if isinstance(who, Attested):
            highest = max(highest, signed.statement.counter)
        else:
            passed_over.append((signed.file, who))
    return highest + 1, (*passed_over, *beside.unread)
