"""What a hub records of checkpoints that CI signed: each bundle, verified, as an anchor entry."""

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from reconciler.errors import EvidenceError, InputError, Where
from reconciler.evidence import layout
from reconciler.evidence.record import Record
from reconciler.ledger.anchors import sigstore
from reconciler.ledger.anchors.judge import Trust
from reconciler.ledger.anchors.model import MAX_PROOF, TimeProof
from reconciler.ledger.verify import Verification
from reconciler.ledger.witness_memory import LedgerMemory

_NAME = re.compile(r"([a-z0-9-]{1,63})--([a-z0-9-]{1,63})--([0-9]{1,8})\.sigstore\.json")
_HINT = "Take the files as ci/sign_checkpoint.py wrote them: <client>--<host>--<size>.sigstore.json"


@dataclass(frozen=True, slots=True)
class Kept:
    """A bundle that is in the hub's ledger now.

    Attributes:
        ref: The branch whose checkpoint it signs.
        size: How many entries that covers.
        proof: What it proves.
    """

    ref: str
    size: int
    proof: TimeProof


def keep_bundle(
    file: Path, verified: Verification, trust: Trust, memory: LedgerMemory, at: datetime
) -> Kept:
    """Verify a bundle and record it.

    Args:
        file: The bundle, named as CI named it.
        verified: The repository that the checkpoint is of, verified.
        trust: The pinned root of sigstore and who may sign.
        memory: The hub's own ledger.
        at: Wall time.

    Raises:
        InputError: Another name, no such checkpoint, or no root to verify with.
        EvidenceError: It does not verify; nothing is recorded.
        MachineError: The library is missing, or the ledger cannot be written.
    """
    ref, size, checkpoint = _checkpoint(file, verified)
    if trust.trusted_root is None:
        raise InputError("no trusted root of sigstore is given", hint="Give --roots DIR.")
    note, bundle = str(checkpoint.entry.body["note"]).encode(), _read(file)
    proof = sigstore.verify_note(
        note, bundle, trusted_root=trust.trusted_root, identities=trust.identities
    )
    body = sigstore.anchor_body(note, bundle, size, checkpoint.digest, authority=proof.authority)
    memory.keep_anchor(body, at)
    return Kept(ref, size, proof)


def _checkpoint(file: Path, verified: Verification) -> tuple[str, int, Record]:
    match = _NAME.fullmatch(file.name)
    if match is None:
        raise InputError("is not the name of a bundle", hint=_HINT, where=Where(str(file)))
    ref, size = layout.ref_name(match[1], match[2]), int(match[3])
    heard = verified.testimonies.get(ref)
    found = None if heard is None else heard.checkpoints.get(size)
    if found is None:
        message = f"there is no checkpoint of {size} entries on {ref} in this repository"
        raise InputError(message, hint="Fetch the newest evidence first.", where=Where(str(file)))
    return ref, size, found


def _read(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            data = opened.read(MAX_PROOF + 1)
    except OSError as error:
        message = f"cannot be read: {error.strerror}"
        raise InputError(message, hint=_HINT, where=Where(str(file))) from error
    if len(data) > MAX_PROOF:
        raise EvidenceError(f"{file} is larger than any bundle", hint=_HINT)
    return data.decode("utf-8", "replace")
