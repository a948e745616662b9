"""Reading a ledger without its signing key, for people and tools that only look."""

from collections.abc import Iterator
from pathlib import Path

from reconciler.errors import LedgerDamaged, LedgerMissing
from reconciler.evidence.history import history
from reconciler.evidence.record import Branch, Record
from reconciler.evidence.signers import AllowedSigners
from reconciler.ledger.objects import ObjectStore, repository_directory
from reconciler.ledger.ref_files import NOWHERE

_HINT = "Do not delete it: run reconciler verify, and restore the ledger from its remote."

_TORN = "Its entries are there: see docs/operating.md, When the branch is lost. Do not delete it."


def newest_first(path: Path, client: str, host: str, signers: AllowedSigners) -> Iterator[Record]:
    """Proven entries of one appliance, newest first.

    Args:
        path: Directory of the repository.
        client: One clinic.
        host: The appliance.
        signers: Who may have signed.

    Raises:
        LedgerMissing: There is no repository, or no branch of this appliance in it.
        LedgerDamaged: An entry does not verify; what came before it was proven.
    """
    return proven(ObjectStore(repository_directory(path)), Branch(client, host, signers), path)


def proven(store: ObjectStore, branch: Branch, path: Path) -> Iterator[Record]:
    """Proven entries of a branch in a store that is open; see `newest_first`."""
    for step in history(store, branch, tip_of(store, branch, path)):
        if step.faults or step.record is None:
            reason = "; ".join(map(str, step.faults))
            raise LedgerDamaged(f"{path} does not verify: {reason}", hint=_HINT)
        yield step.record


def tip_of(store: ObjectStore, branch: Branch, path: Path) -> str:
    """Object id of the newest commit of a branch; nothing about it is proven.

    Raises:
        LedgerMissing: There is no such branch.
        LedgerDamaged: It names no commit, as a power cut may leave it on some file systems.
    """
    tip = store.ref(branch.ref)
    if tip == NOWHERE:
        message = f"branch {branch.ref} in {path} is torn: it names no commit"
        raise LedgerDamaged(message, hint=_TORN)
    if tip is None:
        raise LedgerMissing(f"no branch {branch.ref} in {path}", hint=_HINT)
    return tip
