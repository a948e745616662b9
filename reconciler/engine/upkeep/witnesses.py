"""Asking witnesses to vouch for the newest checkpoint; their words become entries of our ledger."""

from collections.abc import Sequence
from datetime import timedelta

from reconciler.engine.session import Session
from reconciler.engine.upkeep.ages import Event, failed
from reconciler.errors import ReconcilerError
from reconciler.evidence.entry import Kind
from reconciler.evidence.merkle import Frontier, leaf_hash
from reconciler.evidence.merkle_growth import growth_proof
from reconciler.evidence.note import cosignatures, read_checkpoint
from reconciler.ledger.store import Ledger
from reconciler.ledger.witness_client import WitnessAddress, ask_for_cosignature

TIMEOUT_S = 10.0
"""For one question; a witness is asked two at most."""
RETRY = timedelta(minutes=15)
ALLOWED_S = 600.0
"""With the proof: a witness that last saw the log a year ago makes us read that year once."""


def ask_witnesses(session: Session) -> list[Event]:
    """Ask every witness that has not vouched for the newest checkpoint yet."""
    events = []
    for witness in session.appliance.equipment.witnesses:
        if session.options.stopping():
            break
        try:
            events += _ask(session, witness)
        except ReconcilerError as error:
            events.append(failed(witness.name, error.message, error.hint))
    return events


def _ask(session: Session, witness: WitnessAddress) -> list[Event]:
    appliance, now = session.appliance, session.appliance.clock.now()
    newest = appliance.past.kept.checkpoint
    seen = appliance.past.kept.cosigned.get(witness.name)
    if newest is None:
        return []
    if seen is not None and seen.size >= newest.seq:
        return [Event(witness.name)]
    tried = appliance.equipment.tried
    if witness.name in tried and timedelta(0) <= now - tried[witness.name] < RETRY:
        return []
    tried[witness.name] = now
    proofs = LedgerProofs(appliance.ledger, newest.seq)
    with session.options.allowing(ALLOWED_S):
        note = ask_for_cosignature(
            witness,
            newest.note,
            proofs,
            believed=0 if seen is None else seen.size,
            timeout_s=TIMEOUT_S,
        )
    session.append(Kind.COSIGNATURE, _body(note, witness))
    del tried[witness.name]
    return [Event(witness.name)]


def _body(note: str, witness: WitnessAddress) -> dict[str, object]:
    checkpoint = read_checkpoint(note)
    return {
        "origin": checkpoint.origin,
        "size": checkpoint.size,
        "root": checkpoint.root.hex(),
        "time": cosignatures(note, {witness.name: witness.public})[witness.name],
        "note": note,
    }


class LedgerProofs:
    """Consistency proofs of a ledger, which read no more than what came after the older size."""

    def __init__(self, ledger: Ledger, size: int) -> None:
        """Args: ledger: Open. size: Size of the log to prove."""
        self._ledger = ledger
        self._size = size

    def __call__(self, old: int) -> Sequence[bytes]:
        """Why the log now begins with the one that had ``old`` entries.

        Raises:
            LedgerDamaged: Something in between does not verify.
            EvidenceError: The log never had that size.
        """
        if old in (0, self._size):
            return ()
        leaves: list[bytes] = []
        log: Frontier | None = None
        for record in self._ledger.entries(newest_first=True):
            if record.entry.seq < self._size:
                leaves.append(leaf_hash(bytes.fromhex(record.digest)))
            # An entry with a file says the log before it: nothing older needs to be read.
            if record.entry.log is not None and record.entry.seq <= old:
                log = record.entry.log
                break
        leaves.reverse()
        start = log or Frontier.empty()
        known = old - start.size
        return growth_proof(start.extend(leaves[:known]), leaves[known:])
