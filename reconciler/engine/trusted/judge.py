"""What an appliance would say of a commit that its mirror holds, rule by rule; nothing is changed.

Reads the ledger without the signing key and without the host's lock, so that a person may ask while
the appliance runs.
"""

from datetime import datetime

from reconciler.desired.clone import Judgement, Names, judge_clone
from reconciler.engine.appliance import mirror_path, read_ledger
from reconciler.engine.past import recall_from
from reconciler.engine.settings import Home
from reconciler.ledger.verify import load_signers


def judge_intent(home: Home, commit: str, now: datetime) -> Judgement:
    """Hold a commit against what this appliance has accepted, by every rule.

    Args:
        home: Settings of the appliance.
        commit: Any revision that the mirror knows, or the name of the branch.
        now: Wall time, timezone-aware.

    Raises:
        InputError: There is no mirror yet, no such commit, or the pinned signers cannot be read.
        LedgerMissing: There is no ledger of this appliance.
        LedgerDamaged: An entry does not verify.
    """
    fleet = home.settings.fleet
    past = recall_from(read_ledger(home))
    accepted = past.memory.accepted
    recovery = past.standing.recovery
    names = Names(
        commit,
        accepted=None if accepted is None else accepted.commit,
        pin=fleet.pin,
        usual=fleet.attestations,
    )
    return judge_clone(
        mirror_path(home),
        names,
        load_signers(home.path(fleet.signers)),
        now,
        branch=fleet.branch,
        recovered_at=None if recovery is None else recovery.issued,
    )
