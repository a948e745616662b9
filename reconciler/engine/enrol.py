"""The first entry of an appliance's ledger: from here on it has a memory to lose."""

from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from reconciler.evidence import sshsig
from reconciler.guard.memory import Memory
from reconciler.ledger import keys
from reconciler.ledger.store import Ledger


def enrol(
    directory: Path,
    client: str,
    host: str,
    key: Ed25519PrivateKey,
    pinned: str,
    at: datetime,
) -> Path:
    """Make the evidence repository with its genesis entry.

    Args:
        directory: The appliance's directory; the repository is ``evidence/<client>.git`` in it.
        client: Id of the clinic.
        host: Id of the appliance.
        key: Its signing key.
        pinned: Text of the allowed signers that are trusted at enrolment; goes into evidence.
        at: Wall time.

    Returns:
        The repository.

    Raises:
        InputError: There is one already.
        MachineError: It cannot be written.
    """
    repository = directory / "evidence" / f"{client}.git"
    Ledger.create(
        repository,
        client,
        host,
        key,
        body={
            "key": sshsig.public_text(keys.public(key)),
            "pinned_signers": pinned.splitlines(),
            "memory": Memory.empty().to_body(),
        },
        at=at,
        signers_file=directory / "trust" / "evidence_signers",
    )
    return repository
