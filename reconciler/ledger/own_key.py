"""The key that an appliance signs with, and whether it is the one that its ledger goes on with."""

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from reconciler.errors import LedgerDamaged
from reconciler.evidence import layout, sshsig
from reconciler.evidence.key_life import next_key
from reconciler.evidence.record import Record
from reconciler.evidence.signers import AllowedSigners, Signer


def check_key(tip: Record, public: bytes, path: Path) -> None:
    """A ledger is continued by the key that signed last, or that was announced last.

    Raises:
        LedgerDamaged: It is another one.
    """
    wanted = next_key(tip)
    if wanted != public:
        message = f"{path} is continued by key {sshsig.fingerprint(wanted)}, which is not ours"
        raise LedgerDamaged(
            message, hint="If a change of keys was interrupted: reconciler keys rotate."
        )


def only(key: Ed25519PrivateKey, client: str, host: str) -> AllowedSigners:
    """One key speaks for one appliance, at any time."""
    principal = layout.principal(client, host)
    namespaces = (sshsig.GIT_NAMESPACE,)
    signer = Signer(principal, sshsig.raw_public(key), namespaces, None, None, "", 1)
    return AllowedSigners("the key of this appliance", (signer,))
